"""Files of one tree put into another without copying them: by hard links, or by what the file system shares.

The law of this file: the index says which files, and only those that look exactly as git wrote them; no
symbolic link is followed on the way to any of them, whoever put it there.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import stat
from pathlib import Path
from typing import Protocol

from podmates_gitsync.git import index
from podmates_gitsync.git.index import Entry, Seen

_FICLONE = 0x40049409  # <linux/fs.h>
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Way(Protocol):
    """How a file gets from one directory into another."""

    def place(self, entry: Entry, name: bytes, old: int, new: int) -> None:
        """Put the file *name* of the directory *old* into *new* if it is as *entry* says."""

    def index(self, data: bytes) -> bytes:
        """Return the index *data* as it is right for the new files."""


class HardLinks:
    """The same file in both trees."""

    def __init__(self) -> None:
        self._umask = _umask()

    def place(self, entry: Entry, name: bytes, old: int, new: int) -> None:
        try:
            os.link(name, name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
        except FileNotFoundError:
            return  # somebody removed it: git will write it
        # Looked at after the link was made, so that it is the file that was linked.
        if not _is_as_written(entry, os.stat(name, dir_fd=new, follow_symlinks=False), self._umask):
            os.unlink(name, dir_fd=new)

    def index(self, data: bytes) -> bytes:
        return data


class Reflinks:
    """A file of its own that shares its blocks until one of them is written to: btrfs, XFS, and others."""

    def __init__(self) -> None:
        self._umask = _umask()
        self._seen: dict[int, Seen] = {}

    def place(self, entry: Entry, name: bytes, old: int, new: int) -> None:
        if entry.mode == index.LINK:
            return  # git makes a new one
        try:
            source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=old)
        except FileNotFoundError:
            return
        try:
            before = os.fstat(source)
            if _is_as_written(entry, before, self._umask):
                self._clone(entry, source, before, (name, new))
        finally:
            os.close(source)

    def _clone(self, entry: Entry, source: int, before: os.stat_result, target: tuple[bytes, int]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        mode = 0o777 if entry.mode == index.PROGRAM else 0o666
        descriptor = os.open(target[0], flags, mode, dir_fd=target[1])
        try:
            fcntl.ioctl(descriptor, _FICLONE, source)
            os.utime(descriptor, ns=(before.st_atime_ns, before.st_mtime_ns))
            now = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        self._seen[entry.offset] = Seen(now.st_ctime_ns, now.st_dev, now.st_ino)

    def index(self, data: bytes) -> bytes:
        return index.renewed(data, self._seen)


def _umask() -> int:
    """Return the process's; it can be read without being set there only."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("Umask:")).split()[1], 8)
    return 0o022


def _is_as_written(entry: Entry, seen: os.stat_result, umask: int) -> bool:
    """git's own judgement, and that nobody changed its rights, which git would not notice."""
    if entry.mode == index.LINK:
        right = stat.S_ISLNK(seen.st_mode)
    else:
        full = 0o777 if entry.mode == index.PROGRAM else 0o666
        right = seen.st_mode == stat.S_IFREG | (full & ~umask)
    return (
        right
        and seen.st_mtime_ns == entry.modified
        and seen.st_size & 0xFFFFFFFF == entry.size
        and seen.st_ino & 0xFFFFFFFF == entry.inode
        and (seen.st_uid, seen.st_gid) == entry.owner
    )


def share(old: Path, new: Path, data: bytes, *, written: int, way: Way) -> None:
    """Put every file of *old* that is as git wrote it into *new*, which is empty.

    Args:
        data: the index of *old*.
        written: when that was written, nanoseconds: what changed since or in that moment is not trusted.
        way: by hard links, or sharing blocks.

    Raises:
        OSError, ValueError: not all could be done; what is in *new* is of no use.
    """
    with contextlib.ExitStack() as stack:
        walk = _Walk(os.open(old, _FOLDER), os.open(new, _FOLDER))
        stack.callback(walk.close)
        for entry in index.entries(data):
            if entry.modified < written:
                directory, _, name = entry.name.rpartition(b"/")
                way.place(entry, name, *walk.enter(directory))


class _Walk:
    """The same directory of both trees, open; its parts are entered one by one and made in the new one."""

    def __init__(self, old: int, new: int) -> None:
        self._directory = b""
        self._parts: list[bytes] = []
        self._open = [(old, new)]

    def enter(self, directory: bytes) -> tuple[int, int]:
        if directory != self._directory:
            parts = directory.split(b"/") if directory else []
            same = (one == other for one, other in zip(self._parts, parts, strict=False))
            common = sum(1 for _ in itertools.takewhile(bool, same))
            while len(self._open) > common + 1:
                self._leave()
            for part in parts[common:]:
                self._descend(part)
            self._directory, self._parts = directory, parts
        return self._open[-1]

    def _descend(self, part: bytes) -> None:
        old, new = self._open[-1]
        with contextlib.ExitStack() as stack:
            inner = os.open(part, _FOLDER, dir_fd=old)
            stack.callback(os.close, inner)
            os.mkdir(part, dir_fd=new)
            self._open.append((inner, os.open(part, _FOLDER, dir_fd=new)))
            stack.pop_all()

    def _leave(self) -> None:
        for descriptor in self._open.pop():
            os.close(descriptor)

    def close(self) -> None:
        while self._open:
            self._leave()


def shares_blocks(folder: Path) -> bool:
    """Return whether the file system of *folder*, which can be written to, can do that."""
    names = [folder / f"probe.{number}" for number in range(2)]
    try:
        with open(names[0], "wb") as source:
            source.write(b"x")
        with open(names[0], "rb") as source, open(names[1], "wb") as target:
            fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        return True
    except OSError:
        return False
    finally:
        for name in names:
            name.unlink(missing_ok=True)
