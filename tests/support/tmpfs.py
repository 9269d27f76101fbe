"""A small file system of one's own, to be filled up or made read-only. Needs root, and the right to mount."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.programs import lack, need


class Tmpfs:
    """A tmpfs of *size* bytes and at most *inodes* files at *path*; use it as a context manager."""

    def __init__(self, path: Path, *, size: int, inodes: int = 0) -> None:
        self.path, self._size, self._inodes = path, size, inodes
        self._mount, self._umount = need("mount", "mount"), need("umount", "mount")

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        done = self._run("-t", "tmpfs", "-o", self._options(), "tmpfs", str(self.path))
        if done.returncode != 0:
            reason = f"cannot mount a tmpfs, which needs root: {done.stderr.strip()}"
            lack(reason)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run([self._umount, "-l", str(self.path)], check=True, timeout=60)

    def resize(self, size: int) -> None:
        """Give it more room, or less."""
        self._size = size
        self._remount(self._options())

    def read_only(self, on: bool) -> None:
        """Let nothing be written, or anything again."""
        self._remount("ro" if on else "rw")

    def free(self) -> int:
        """Return the bytes that are left."""
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize

    def _options(self) -> str:
        return f"size={self._size},mode=755" + (f",nr_inodes={self._inodes}" if self._inodes else "")

    def _remount(self, options: str) -> None:
        done = self._run("-o", f"remount,{options}", str(self.path))
        assert done.returncode == 0, done.stderr

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._mount, *words], capture_output=True, text=True, timeout=60)
