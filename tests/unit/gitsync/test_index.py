"""An index is understood as far as it is needed, or refused; never half read."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

import pytest

from podmates_gitsync.git.index import FILE, LINK, PROGRAM, SUBMODULE, Entry, Index, Seen


def item(name: bytes, mode: int = FILE, flags: int = 0, more: int | None = None) -> bytes:
    stat = (5, 6, 7, 8, 9, 10, mode, 11, 12, 13)
    data = struct.pack(">10I20sH", *stat, b"o" * 20, flags | min(len(name), 0xFFF))
    data += (b"" if more is None else struct.pack(">H", more)) + name
    return data + b"\0" * (8 - len(data) % 8)


def made(items: Sequence[bytes], extensions: bytes = b"", version: int = 2) -> bytes:
    data = struct.pack(">4sII", b"DIRC", version, len(items)) + b"".join(items) + extensions
    return data + hashlib.sha1(data).digest()


SOUND = made(
    [item(b"a"), item(b"b/c", LINK), item(b"b/d" * 9, PROGRAM)], b"TREE" + struct.pack(">I", 3) + b"xyz"
)


def test_every_file_is_told_with_what_git_saw() -> None:
    found = list(Index(SOUND))

    assert Index(SOUND).count == 3
    assert [(entry.name, entry.mode) for entry in found] == [
        (b"a", FILE),
        (b"b/c", LINK),
        (b"b/d" * 9, PROGRAM),
    ]
    assert found[0] == Entry(b"a", FILE, 7_000_000_008, 10, (11, 12), 13, 12)


def test_what_is_not_checked_out_is_left_out() -> None:
    data = made([item(b"s", SUBMODULE), item(b"t", flags=0x4000, more=0x4000), item(b"u")], version=3)

    assert [(entry.name, entry.mode) for entry in Index(data)] == [(b"s", SUBMODULE), (b"u", FILE)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"DIRC" + bytes(4), id="short"),
        pytest.param(made([item(b"a")], version=4), id="version 4"),
        pytest.param(made([item(b"a", flags=0x8000)]), id="assumed unchanged"),
        pytest.param(made([item(b"a", flags=0x1000)]), id="in conflict"),
        pytest.param(made([item(b"a", flags=0x4000, more=0x2000)], version=3), id="intent to add"),
        pytest.param(made([item(b"a", 0o040000)]), id="a sparse directory"),
        pytest.param(made([item(b".git/config")]), id="into .git"),
        pytest.param(made([item(b"a/.GIT/x")]), id="into .GIT"),
        pytest.param(made([item(b"../x")]), id="out of the tree"),
        pytest.param(made([item(b"a/../../x")]), id="out of the tree, further in"),
        pytest.param(made([item(b"/etc/x")]), id="absolute"),
        pytest.param(made([item(b"a//x")]), id="an empty part"),
        pytest.param(made([item(b"")]), id="no name"),
        pytest.param(made([item(b"a")], b"link" + struct.pack(">I", 0)), id="split"),
        pytest.param(made([item(b"a")], b"FSMN" + struct.pack(">I", 0)), id="watched"),
        pytest.param(made([item(b"a")], b"TREE" + struct.pack(">I", 99)), id="a long extension"),
        pytest.param(SOUND[:-1] + b"\0", id="wrong sum"),
    ],
)
def test_what_is_not_understood_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="an index"):
        list(Index(data))


def test_an_index_cut_anywhere_is_refused() -> None:
    for end in range(len(SOUND)):
        with pytest.raises(ValueError, match=r"."):
            list(Index(SOUND[:end]))
        cut = SOUND[:end] + hashlib.sha1(SOUND[:end]).digest()
        if end != len(SOUND) - 20 and end != len(SOUND) - 31:  # whole, or without its extension
            with pytest.raises(ValueError, match=r"."):
                list(Index(cut))


def test_a_renewed_index_has_new_times_and_inodes_and_a_right_sum() -> None:
    offsets = [entry.offset for entry in Index(SOUND)]
    known = Index(SOUND)
    known.renewed({offsets[2]: Seen(1_000_000_002, 1 << 33 | 3, 1 << 32 | 77)})

    assert [entry.inode for entry in Index(known.data)] == [10, 10, 77]
    assert struct.unpack_from(">IIIIII", known.data, offsets[2]) == (1, 2, 7, 8, 3, 77)
    known = Index(SOUND)
    known.renewed({})
    assert known.data == SOUND


@pytest.mark.parametrize("gone", [[0], [1], [3], [0, 1], [1, 2, 3], [0, 1, 2, 3], []], ids=str)
def test_entries_are_left_out_with_extensions_that_knew_them(gone: list[int]) -> None:
    items = [item(b"a"), item(b"b", flags=0x4000, more=0), item(b"c" * 8), item(b"d", SUBMODULE)]
    hidden = item(b"aa", flags=0x4000, more=0x4000)  # not checked out: stays known
    whole = [items[0], hidden, *items[1:]]
    known = Index(made(whole, b"TREE" + struct.pack(">I", 3) + b"xyz", version=3))
    offsets = [entry.offset for entry in known]
    known.leave_out(offsets[number] for number in gone)

    kept = [one for one in whole if one not in [items[number] for number in gone]]
    assert known.data == (made(kept, version=3) if gone else made(whole, b"TREE\0\0\0\3xyz", version=3))
    assert known.count == len(kept)
