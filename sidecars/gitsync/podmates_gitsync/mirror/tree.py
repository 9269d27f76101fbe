"""A directory that others may write to as well: walked by descriptors, and no link in it followed.

A path is walked folder by folder (`openat` with ``O_NOFOLLOW``), from a descriptor that was opened once. So
neither a link nor a folder that is swapped under us can lead out of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from podmates_gitsync.mirror.listing import Entry
from podmates_gitsync.mirror.records import Stamp

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_FOLDER = {errno.ENOTDIR, errno.ELOOP}
_LINK, _KIND = 0o120000, 0o170000


class Blocked(OSError):
    """Something above a path is no folder; `path` is what."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ENOTDIR, "not a folder", path)
        self.path = path


class Tree:
    """Files below one directory, by their paths in it; use it as a context manager.

    The folders on the way to the last path stay open, so that paths are best asked for in order.

    Args:
        folder: must exist; itself no link.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.descriptor = os.open(folder, _FOLDER)
        self._open: list[tuple[str, int]] = []  # (name, descriptor) from the outermost inwards

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.forget()
        os.close(self.descriptor)

    def forget(self) -> None:
        """Close the folders on the way; needed once one of them was removed."""
        while self._open:
            os.close(self._open.pop()[1])

    def parent(self, path: str) -> tuple[int, str]:
        """Return the folder that *path* lies in, a descriptor open until the next call, and its name there.

        Raises:
            FileNotFoundError: there is no such folder.
            Blocked: something above *path* is no folder.
        """
        *above, name = path.split("/")
        return self._walk(above), name

    def folder(self, path: str) -> int:
        """Return the descriptor of the folder *path*, open until the next call; empty for the whole tree.

        Raises:
            FileNotFoundError, Blocked
        """
        return self._walk(path.split("/") if path else [])

    def _walk(self, names: list[str]) -> int:
        same = 0
        while same < min(len(names), len(self._open)) and self._open[same][0] == names[same]:
            same += 1
        while len(self._open) > same:
            os.close(self._open.pop()[1])
        for number in range(same, len(names)):
            here = self._open[-1][1] if self._open else self.descriptor
            try:
                self._open.append((names[number], os.open(names[number], _FOLDER, dir_fd=here)))
            except OSError as error:
                if error.errno in _NO_FOLDER:
                    raise Blocked("/".join(names[: number + 1])) from None
                raise
        return self._open[-1][1] if self._open else self.descriptor

    def status(self, path: str) -> os.stat_result | None:
        """Return what there is at *path*, a link itself and not what it names; None for nothing.

        Raises:
            Blocked
        """
        try:
            folder, name = self.parent(path)
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[int]:
        """Yield a descriptor of the regular file *path*.

        Raises:
            OSError: it is no regular file, or cannot be read.
        """
        folder, name = self.parent(path)
        # Without O_NONBLOCK a pipe put in the place of a file would hold us up for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            yield descriptor
        finally:
            os.close(descriptor)

    def target(self, path: str) -> str:
        """Return the text of the link *path*.

        Raises:
            OSError: it is none.
        """
        folder, name = self.parent(path)
        return os.readlink(name, dir_fd=folder)

    def files(self, path: str) -> Iterator[str]:
        """Yield everything below the folder *path* that is no folder."""
        folders = [path]
        while folders:
            folder = folders.pop()
            for name in sorted(os.listdir(self.folder(folder))):
                inner = f"{folder}/{name}" if folder else name
                status = self.status(inner)
                if status is not None and stat.S_ISDIR(status.st_mode):
                    folders.append(inner)
                elif status is not None:
                    yield inner


def stamp(status: os.stat_result) -> Stamp:
    """Return how a file with *status* is known again."""
    kind = status.st_mode & (_KIND | stat.S_IXUSR)
    return Stamp(status.st_ino, status.st_mtime_ns, status.st_size, kind)


def has_kind(status: os.stat_result, entry: Entry) -> bool:
    """Return whether *status* is that of a file such as git's mode says: a link, executable, or neither."""
    if entry.mode == _LINK:
        return stat.S_ISLNK(status.st_mode)
    executable = bool(status.st_mode & 0o100)
    return stat.S_ISREG(status.st_mode) and executable == bool(entry.mode & 0o100)
