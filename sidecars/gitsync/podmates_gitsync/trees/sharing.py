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
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from podmates_gitsync.git import index
from podmates_gitsync.git.index import Entry, Index, Seen

_FICLONE = 0x40049409  # <linux/fs.h>
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Way(Protocol):
    """How a file gets from one directory into another."""

    def place(self, entry: Entry, name: bytes, old: int, new: int) -> bool:
        """Put the file *name* of the directory *old* into *new* if it is as *entry* says; return whether."""

    def renew(self, known: Index) -> None:
        """Make the index right for the new files."""


class HardLinks:
    """The same file in both trees."""

    def __init__(self) -> None:
        self._rights = _rights()

    def place(self, entry: Entry, name: bytes, old: int, new: int) -> bool:
        try:
            os.link(name, name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
        except FileNotFoundError:
            return False  # somebody removed it
        # Looked at after the link was made, so that it is the file that was linked.
        if _is_as_written(entry, os.stat(name, dir_fd=new, follow_symlinks=False), self._rights):
            return True
        os.unlink(name, dir_fd=new)
        return False

    def renew(self, known: Index) -> None:
        """They are the same ones."""


class Reflinks:
    """A file of its own that shares its blocks until one of them is written to: btrfs, XFS, and others."""

    def __init__(self) -> None:
        self._rights = _rights()
        self._seen: dict[int, Seen] = {}

    def place(self, entry: Entry, name: bytes, old: int, new: int) -> bool:
        if entry.mode == index.LINK:
            return False  # git makes a new one
        try:
            source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=old)
        except FileNotFoundError:
            return False
        try:
            before = os.fstat(source)
            right = _is_as_written(entry, before, self._rights)
            if right:
                self._clone(entry, source, before, (name, new))
            return right
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

    def renew(self, known: Index) -> None:
        known.renewed(self._seen)


def _umask() -> int:
    """Return the process's; it can be read without being set there only."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("Umask:")).split()[1], 8)
    return 0o022


def _rights() -> dict[int, int]:
    """Return what git makes of each kind of file."""
    given = ~_umask()
    return {
        index.FILE: stat.S_IFREG | (0o666 & given),
        index.PROGRAM: stat.S_IFREG | (0o777 & given),
        index.LINK: stat.S_IFLNK | 0o777,
    }


def _is_as_written(entry: Entry, seen: os.stat_result, rights: Mapping[int, int]) -> bool:
    """git's own judgement, and that nobody changed its rights, which git would not notice."""
    _, mode, modified, inode, owner, size, _ = entry
    return (
        seen.st_mode == rights[mode]
        and seen.st_mtime_ns == modified
        and seen.st_size & 0xFFFFFFFF == size
        and seen.st_ino & 0xFFFFFFFF == inode
        and (seen.st_uid, seen.st_gid) == owner
    )


def share(old: Path, new: Path, known: Index, *, written: int, way: Way) -> None:
    """Put every file of *old* that is as git wrote it into *new*, which is empty.

    Args:
        known: the index of *old*; afterwards of *new*, with what is in it and was looked at just now.
        written: when it was written, nanoseconds: what changed since or in that moment is not trusted.
        way: by hard links, or sharing blocks.

    Raises:
        OSError, ValueError: not all could be done; what is in *new* is of no use.
    """
    missing = []
    with contextlib.ExitStack() as stack:
        walk = _Walk(os.open(old, _FOLDER), os.open(new, _FOLDER))
        stack.callback(walk.close)
        directory, old_folder, new_folder = b"", *walk.enter(b"")
        place, submodule = way.place, index.SUBMODULE
        for entry in known:
            path, mode, modified, _, _, _, offset = entry
            parent, _, name = path.rpartition(b"/")
            if parent != directory:
                directory, old_folder, new_folder = parent, *walk.enter(parent)
            sure = modified < written and mode != submodule
            if not (sure and place(entry, name, old_folder, new_folder)):
                missing.append(offset)
    way.renew(known)
    known.leave_out(missing)


class _Walk:
    """The same directory of both trees, open; its parts are entered one by one and made in the new one."""

    def __init__(self, old: int, new: int) -> None:
        self._parts: list[bytes] = []
        self._open = [(old, new)]

    def enter(self, directory: bytes) -> tuple[int, int]:
        parts = directory.split(b"/") if directory else []
        same = (one == other for one, other in zip(self._parts, parts, strict=False))
        common = sum(1 for _ in itertools.takewhile(bool, same))
        while len(self._open) > common + 1:
            self._leave()
        for part in parts[common:]:
            self._descend(part)
        return self._open[-1]

    def _descend(self, part: bytes) -> None:
        old, new = self._open[-1]
        with contextlib.ExitStack() as stack:
            inner = os.open(part, _FOLDER, dir_fd=old)
            stack.callback(os.close, inner)
            os.mkdir(part, dir_fd=new)
            self._open.append((inner, os.open(part, _FOLDER, dir_fd=new)))
            self._parts.append(part)
            stack.pop_all()

    def _leave(self) -> None:
        for descriptor in self._open.pop():
            os.close(descriptor)
        part = self._parts.pop() if self._parts else b""
        if part:
            with contextlib.suppress(OSError):  # mostly it is not empty; if it is, git does not know of it
                os.rmdir(part, dir_fd=self._open[-1][1])

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
