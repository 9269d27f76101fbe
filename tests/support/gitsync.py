"""The installed sidecar as a process, under the name that people override `command:` with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.processes import Process
from tests.support.programs import script
from tests.support.waiting import until


class Gitsync(Process):
    """`/git-sync` on a root below *folder*.

    Args:
        folder: for the root, the link, the home directory.
        repo: what to sync.
        prefix: a program that starts it, with its arguments.
        flags: further ones; the period is short, everything else as by default.
    """

    def __init__(
        self,
        folder: Path,
        repo: str,
        *flags: str,
        env: Mapping[str, str] | None = None,
        own_name: bool = False,
        prefix: Sequence[str] = (),
    ) -> None:
        self.root = folder / "root"
        self.link = self.root / "link"
        argv = [
            *prefix,
            str(drop_in(folder)),
            f"--repo={repo}",
            f"--root={self.root}",
            "--link=link",
            "--period=50ms",
            *flags,
        ]
        super().__init__(argv, env={"HOME": str(folder), "TMPDIR": str(folder), **(env or {})}, cwd=folder)

    def close(self) -> None:
        """Let it remove what it made outside its root; then as every process."""
        if self.returncode is None:
            self.send(signal.SIGTERM)
            with contextlib.suppress(AssertionError):
                self.wait(10)
        super().close()

    def published(self) -> str:
        """Return the commit that the link names now; empty when there is none."""
        try:
            return os.path.basename(os.readlink(self.link))
        except FileNotFoundError:
            return ""

    def wait_published(self, commit: str, timeout: float = 60) -> None:
        """Return once the link names *commit*; fail when the process ends without it."""

        def there() -> bool:
            ended = self.returncode is not None
            if self.published() == commit:
                return True
            assert not ended, f"ended with {self.returncode}: {self.output}"
            return False

        until(there, timeout, f"the link to name {commit}")

    def messages(self) -> list[dict[str, Any]]:
        """Return the lines of the log."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]


def drop_in(folder: Path) -> Path:
    """Return the program under the name `git-sync`, below *folder*."""
    path = folder / "bin" / "git-sync"
    if not path.is_symlink():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(script("podmates-gitsync"))
    return path
