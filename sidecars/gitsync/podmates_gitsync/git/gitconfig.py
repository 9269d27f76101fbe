"""git's configuration, private to us: the user's and the machine's never apply."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

# A root or a file:// repository owned by another user is the rule in a pod, not an attack.
DEFAULTS = (
    ("gc", "autoDetach", "false"),
    ("gc", "pruneExpire", "now"),
    ("core", "askPass", "true"),
    ("safe", "directory", "*"),
)


def render(values: Sequence[tuple[str, str, str]]) -> str:
    """Return the text of a configuration file with (section, key, value)."""
    return "".join(f"[{section}]\n\t{key} = {_quoted(value)}\n" for section, key, value in values)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


class PrivateConfig:
    """A file that git is pointed at; in memory where there is no writable directory for it."""

    def __init__(self, text: str) -> None:
        self._file: Path | None = None
        try:
            descriptor, name = tempfile.mkstemp(prefix="git-sync.gitconfig.")
            self._file, self.path = Path(name), name
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
        except OSError:
            self._memory = os.memfd_create("git-sync.gitconfig")
            os.write(self._memory, text.encode())
            self.path = f"/proc/{os.getpid()}/fd/{self._memory}"

    def remove(self) -> None:
        """Remove the file; harmless when it is gone."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink()


def additions(path: str, ssh_command: str) -> dict[str, str]:
    """Return the variables that git and the hooks get."""
    return {"GIT_CONFIG_GLOBAL": path, "GIT_CONFIG_NOSYSTEM": "true", "GIT_SSH_COMMAND": ssh_command}
