"""git's index, read as far as it is needed to know which files of a tree are as git wrote them.

Source: gitformat-index(5), versions 2 and 3. Whatever is not understood is refused, never guessed.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LINK, FILE, PROGRAM = 0o120000, 0o100644, 0o100755  # of the kinds there are, those that are files
_SUBMODULE = 0o160000
_HEADER = struct.Struct(">4sII")
_ENTRY = struct.Struct(">IIIIIIIIII20sH")  # ctime, mtime (s, ns each), dev, ino, mode, uid, gid, size, …
_ASSUMED, _EXTENDED, _STAGE = 0x8000, 0x4000, 0x3000
_SKIPPED, _INTENDED = 0x4000, 0x2000
_CHECKSUM = 20  # bytes at the end
# Extensions that say nothing of files: trees and conflicts that are known, and where entries begin.
_HARMLESS = frozenset({b"TREE", b"REUC", b"EOIE", b"IEOT"})


class Entry(NamedTuple):
    """A file that git has written; the numbers are what it saw then."""

    name: bytes  # from the top of the tree, with slashes
    mode: int  # LINK, FILE or PROGRAM
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


def count(data: bytes) -> int:
    """Return how many entries an index has, from its first 12 bytes.

    Raises:
        ValueError: it is none.
    """
    if len(data) < _HEADER.size:
        raise ValueError("an index that is cut off")
    signature, version, number = _HEADER.unpack_from(data)
    if signature != b"DIRC" or version not in {2, 3}:
        raise ValueError(f"an index of version {version}")
    return int(number)


def entries(data: bytes) -> Iterator[Entry]:
    """Yield the files of an index of SHA-1, in its order, which keeps each directory together.

    Files that are not checked out and submodules are left out.

    Raises:
        ValueError: there is something in it that would need to be understood.
    """
    if data[-_CHECKSUM:] not in {_checksum(data), bytes(_CHECKSUM)}:  # zeros: git was told not to make one
        raise ValueError("an index with a wrong sum")
    position = _HEADER.size
    for _ in range(count(data)):
        if position + _ENTRY.size + 2 > len(data):
            raise ValueError("an index that is cut off")
        fields = _ENTRY.unpack_from(data, position)
        seconds, nanoseconds, _, inode, mode, user, group, size, _, flags = fields[2:]
        start = position + _ENTRY.size
        skipped = False
        if flags & (_ASSUMED | _STAGE):
            raise ValueError("an index with entries that are assumed or in conflict")
        if flags & _EXTENDED:
            (more,) = struct.unpack_from(">H", data, start)
            start += 2
            skipped = bool(more & _SKIPPED)
            if more & _INTENDED:
                raise ValueError("an index with intents")
        end = data.index(b"\0", start)
        if not skipped and mode in {LINK, FILE, PROGRAM}:
            modified = seconds * 1_000_000_000 + nanoseconds
            name = _sound(data[start:end])
            yield Entry(name, mode, modified, inode, (user, group), size, position)
        elif not skipped and mode != _SUBMODULE:
            raise ValueError(f"an index with a mode of {mode:o}")
        position += (end - position + 8) & ~7  # ends with 1 to 8 NULs
    _check_extensions(data, position)


def _sound(name: bytes) -> bytes:
    if b"/." in name or name.startswith(b"."):
        parts = [part.lower() for part in name.split(b"/")]
        if not {b".", b"..", b".git"}.isdisjoint(parts):
            raise ValueError(f"an index with a path {name!r}")
    if b"//" in name or not name or name.startswith(b"/"):
        raise ValueError(f"an index with a path {name!r}")
    return name


def _check_extensions(data: bytes, position: int) -> None:
    end = len(data) - _CHECKSUM
    while position < end:
        if position + 8 > end or data[position : position + 4] not in _HARMLESS:
            raise ValueError(f"an index with {data[position : position + 4]!r}")
        position += 8 + int.from_bytes(data[position + 4 : position + 8], "big")
    if position != end:
        raise ValueError("an index with a wrong end")


def renewed(data: bytes, seen: Mapping[int, Seen]) -> bytes:
    """Return the index with what is *seen* now of the entries at these offsets."""
    result = bytearray(data)
    for offset, now in seen.items():
        struct.pack_into(">II", result, offset, *divmod(now.changed, 1_000_000_000))
        struct.pack_into(">II", result, offset + 16, now.device & 0xFFFFFFFF, now.inode & 0xFFFFFFFF)
    result[-_CHECKSUM:] = _checksum(result)
    return bytes(result)


def _checksum(data: bytes | bytearray) -> bytes:
    return hashlib.sha1(memoryview(data)[:-_CHECKSUM], usedforsecurity=False).digest()
