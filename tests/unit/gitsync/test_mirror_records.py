"""A manifest is read as it was written, at every cut; what it cannot say, it does not."""

from __future__ import annotations

import pytest

from podmates_gitsync.mirror import records
from podmates_gitsync.mirror.listing import Entry, listed, safe
from podmates_gitsync.mirror.records import Manifest, Record, Stamp

RECORD = Record(Entry(0o100755, "ab"), Stamp(12, 1_700_000_000_000_000_001, 3, 0o100100))
ODD = 'd/odd \udcff\n"name"'
FULL = Manifest({"a": RECORD, ODD: RECORD}, {"d"}, {}, set(), "c1")


def test_what_was_written_is_read() -> None:
    assert records.parse(records.render(FULL)) == FULL


def test_what_was_appended_is_pending_until_the_end_is_there() -> None:
    lines = [records.begun({"", "d"}), records.put("new", RECORD), records.dropped("a"), records.made("d/e")]
    cut = records.parse(records.render(FULL) + "".join(lines))
    done = records.parse(records.render(FULL) + "".join(lines) + records.ended("c2"))

    assert cut.files == FULL.files
    assert cut.pending == {"new": RECORD, "a": None}
    assert cut.unswept == {"", "d"}
    assert done == Manifest({"new": RECORD, ODD: RECORD}, {"d", "d/e"}, {}, set(), "c2")


def test_a_line_that_was_cut_off_counts_as_not_written() -> None:
    text = records.render(FULL)
    last = records.dropped("a")
    for length in range(len(last)):
        assert records.parse(text + last[:length]) == FULL
    head = text.index("\n")
    for length in range(head):
        with pytest.raises(ValueError, match="does not begin"):
            records.parse(text[:length])


DAMAGE = {
    "not ours": "hello\n",
    "another version": '["podmates-mirror",2]\n',
    "no list": '["podmates-mirror",1]\n{}\n',
    "an unknown line": '["podmates-mirror",1]\n["who"]\n',
    "a path that leads out": '["podmates-mirror",1]\n["put","../a",33188,"1",1,1,1,1]\n',
    "an absolute path": '["podmates-mirror",1]\n["put","/etc/passwd",33188,"1",1,1,1,1]\n',
    "our own name": '["podmates-mirror",1]\n["put",".podmates-mirror",33188,"1",1,1,1,1]\n',
    "a folder that leads out": '["podmates-mirror",1]\n["made",".."]\n',
    "a place that leads out": '["podmates-mirror",1]\n["begun",["../x"]]\n',
    "a place that is no text": '["podmates-mirror",1]\n["begun",[[]]]\n',
    "half a stamp": '["podmates-mirror",1]\n["put","a",33188,"1",1]\n',
    "no number": '["podmates-mirror",1]\n["put","a",33188,"1",1,1,1,"1"]\n',
    "not JSON": '["podmates-mirror",1]\n[[[\n',
}


@pytest.mark.parametrize("text", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        records.parse(text)


def test_the_index_is_read_without_submodules_and_what_a_sparse_tree_lacks() -> None:
    text = "H 100644 aa 0\ta\0S 100644 bb 0\tabsent\0H 160000 cc 0\tsub\0"
    text += "H 120000 dd 0\tsub/l\n\t\0H 100755 ee 0\tx\0"
    found = {"a": Entry(0o100644, "aa"), "sub/l\n\t": Entry(0o120000, "dd"), "x": Entry(0o100755, "ee")}

    assert listed(text) == found
    assert listed("") == {}
    with pytest.raises(ValueError, match="cannot be mirrored"):
        listed("H 100644 aa 0\tb/../../a\0")


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a//b", "a/", "..", "a/../b", "./a", "a\0", ".podmates-mirror", "a/.podmates-mirror.tmp"],
)
def test_a_path_that_is_not_safe(path: str) -> None:
    assert not safe(path)
    assert safe(f"x{path.replace('/', '-')}".replace("\0", ""))
