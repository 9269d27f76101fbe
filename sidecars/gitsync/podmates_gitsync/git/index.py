"""git's index, read as far as it is needed to know which files of a tree are as git wrote them.

Source: gitformat-index(5), versions 2 and 3. Whatever is not understood is refused, never guessed.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

LINK, FILE, PROGRAM = 0o120000, 0o100644, 0o100755  # of the kinds there are, those that are files
SUBMODULE = 0o160000
_KINDS = frozenset({LINK, FILE, PROGRAM, SUBMODULE})
_HEADER = struct.Struct(">4sII")
_ENTRY = struct.Struct(">8xII4xIIIII20xH")  # mtime (s, ns), ino, mode, uid, gid, size, flags
_ASSUMED, _EXTENDED, _STAGE = 0x8000, 0x4000, 0x3000
_SKIPPED, _INTENDED = 0x4000, 0x2000
_CHECKSUM = 20  # bytes at the end
# Extensions that say nothing of files: trees and conflicts that are known, and where entries begin.
_HARMLESS = frozenset({b"TREE", b"REUC", b"EOIE", b"IEOT"})


class Entry(NamedTuple):
    """A file that git has written, or a submodule; the numbers are what it saw then."""

    name: bytes  # from the top of the tree, with slashes
    mode: int  # LINK, FILE, PROGRAM or SUBMODULE
    modified: int  # nanoseconds
    inode: int  # its last 32 bits
    owner: tuple[int, int]  # user and group
    size: int  # its last 32 bits
    offset: int  # of the entry in the index


class Seen(NamedTuple):
    """What a file looks like now, for an index that is to know it."""

    changed: int  # time of the last change of its inode, nanoseconds
    device: int
    inode: int


class Index:
    """An index of SHA-1.

    Args:
        data: what is in the file.

    Attributes:
        count: how many entries it has.

    Raises:
        ValueError: it is none, or one that is not understood; each method raises that.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        if len(data) < _HEADER.size:
            raise ValueError("an index that is cut off")
        signature, version, self.count = _HEADER.unpack_from(data)
        if signature != b"DIRC" or version not in {2, 3}:
            raise ValueError(f"an index of version {version}")
        self._end = 0  # of the entries, known when all were yielded

    def __iter__(self) -> Iterator[Entry]:
        """Yield what is checked out in the index's order, which keeps each directory together."""
        data, unpack, make = self.data, _ENTRY.unpack_from, tuple.__new__
        if data[-_CHECKSUM:] not in {_checksum(data), bytes(_CHECKSUM)}:  # zeros: git was to make none
            raise ValueError("an index with a wrong sum")
        position, last = _HEADER.size, len(data) - _ENTRY.size - 2
        fixed, special, kinds = _ENTRY.size, _ASSUMED | _EXTENDED | _STAGE, _KINDS
        for _ in range(self.count):  # for every file there is, so nothing in it is to spare
            if position > last:
                raise ValueError("an index that is cut off")
            seconds, nanoseconds, inode, mode, user, group, size, flags = unpack(data, position)
            start, skipped = position + fixed, False
            if flags & special:
                start, skipped = _extended(data, start, flags)
            end = data.index(b"\0", start)
            if not skipped:
                name = data[start:end]
                if mode not in kinds:
                    raise ValueError(f"an index with a mode of {mode:o}")
                if b"/." in name or b"//" in name or name < b"0":  # may begin with a dot or a slash
                    _check_name(name)
                modified = seconds * 1_000_000_000 + nanoseconds
                yield make(Entry, (name, mode, modified, inode, (user, group), size, position))
            position += (end - position + 8) & ~7  # ends with 1 to 8 NULs
        _check_extensions(data, position)
        self._end = position

    def renewed(self, seen: Mapping[int, Seen]) -> None:
        """Know what is *seen* now of the entries at these offsets."""
        result = bytearray(self.data)
        for offset, now in seen.items():
            struct.pack_into(">II", result, offset, *divmod(now.changed, 1_000_000_000))
            struct.pack_into(">II", result, offset + 16, now.device & 0xFFFFFFFF, now.inode & 0xFFFFFFFF)
        self.data = _summed(result[:-_CHECKSUM])

    def leave_out(self, offsets: Iterable[int]) -> None:
        """Forget the entries at these offsets, in their order, after all were yielded."""
        data, kept, begin = self.data, [], _HEADER.size
        for offset in offsets:
            kept.append(data[begin:offset])
            (flags,) = struct.unpack_from(">H", data, offset + _ENTRY.size - 2)
            start = offset + _ENTRY.size + (2 if flags & _EXTENDED else 0)
            begin = offset + ((data.index(b"\0", start) - offset + 8) & ~7)
        if kept:
            header = _HEADER.pack(data[:4], int.from_bytes(data[4:8], "big"), self.count - len(kept))
            self.count -= len(kept)
            # Extensions know trees of the entries that are gone.
            self.data = _summed(b"".join([header, *kept, data[begin : self._end]]))


def _extended(data: bytes, start: int, flags: int) -> tuple[int, bool]:
    """Return where an entry's name starts, and whether it is not checked out."""
    if flags & (_ASSUMED | _STAGE):
        raise ValueError("an index with entries that are assumed or in conflict")
    more = int.from_bytes(data[start : start + 2], "big")
    if more & _INTENDED:
        raise ValueError("an index with intents")
    return start + 2, bool(more & _SKIPPED)


def _check_name(name: bytes) -> None:
    parts = {part.lower() for part in name.split(b"/")}
    if b"//" in name or not name or name.startswith(b"/") or not parts.isdisjoint({b".", b"..", b".git"}):
        raise ValueError(f"an index with a path {name!r}")


def _check_extensions(data: bytes, position: int) -> None:
    end = len(data) - _CHECKSUM
    while position < end:
        if position + 8 > end or data[position : position + 4] not in _HARMLESS:
            raise ValueError(f"an index with {data[position : position + 4]!r}")
        position += 8 + int.from_bytes(data[position + 4 : position + 8], "big")
    if position != end:
        raise ValueError("an index with a wrong end")


def _summed(data: bytes | bytearray) -> bytes:
    return bytes(data) + hashlib.sha1(data, usedforsecurity=False).digest()


def _checksum(data: bytes) -> bytes:
    return hashlib.sha1(memoryview(data)[:-_CHECKSUM], usedforsecurity=False).digest()
