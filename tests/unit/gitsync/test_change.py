"""Two changes as one name every path that differs, with what became of it."""

from __future__ import annotations

import json
from itertools import product

import pytest

from podmates_gitsync.hooks import message
from podmates_gitsync.hooks.change import LONGEST, Change, entries, listed, variables

STATES = (None, "one", "two")  # what a path may be at a commit: not there, or one of two contents


def difference(old: str | None, new: str | None) -> bytes:
    """Return what git says of one path."""
    if old == new:
        return b""
    status = "A" if old is None else "D" if new is None else "M"
    return listed({b"f": status})


def test_two_changes_as_one_are_never_less_than_the_difference() -> None:
    for first, second, third in product(STATES, repeat=3):
        merged = Change("b", "a", difference(first, second)).then(Change("c", "b", difference(second, third)))
        wanted = difference(first, third)

        assert (merged.commit, merged.previous) == ("c", "a")
        if wanted:
            assert merged.files == wanted, (first, second, third)
        else:
            assert merged.files in {b"", b"M\0f\0"}, (first, second, third)


UNTOLD = Change("b", "a", b"M\0f\0")
INCLUDING: dict[str, tuple[Change | None, Change, Change]] = {
    "nothing is owed": (None, Change("c", "b", b"A\0g\0"), Change("c", "b", b"A\0g\0")),
    "the same commit, carried on": (UNTOLD, Change("b", "b"), UNTOLD),
    "a commit later": (UNTOLD, Change("c", "b", b"A\0g\0"), Change("c", "a", b"M\0f\0A\0g\0")),
    "back again": (UNTOLD, Change("a", "b", b"M\0f\0"), Change("a", "a", b"M\0f\0")),
    "later, files unknown": (UNTOLD, Change("c", "b"), Change("c", "a")),
    "somebody moved the link": (UNTOLD, Change("c", "x", b"A\0g\0"), Change("c", "x", b"A\0g\0")),
    "somebody removed the link": (UNTOLD, Change("c"), Change("c")),
}


@pytest.mark.parametrize(("untold", "change", "told"), INCLUDING.values(), ids=INCLUDING.keys())
def test_what_nobody_was_told_of_is_told_with_the_next(
    untold: Change | None, change: Change, told: Change
) -> None:
    assert change.including(untold) == told


def test_what_is_not_known_stays_so() -> None:
    known = Change("b", "a", b"M\0f\0")

    assert known.then(Change("c", "b", None)).files is None
    assert Change("b", "a", None).then(Change("c", "b", b"M\0f\0")).files is None
    assert known.since("x") == Change("b", "x", None)
    assert known.since("a") is known


def test_a_list_that_grows_over_failures_is_not_known_any_more() -> None:
    first, second = (b"M\0" + letter * (LONGEST // 2 + 1) + b"\0" for letter in (b"a", b"b"))

    assert Change("b", "a", first).then(Change("c", "b", first)).files == first
    assert Change("b", "a", first).then(Change("c", "b", second)) == Change("c", "a", None)


def test_paths_are_bytes_of_any_kind() -> None:
    files = b"M\0a\nb\0A\0\xff\xfe\0D\0 \0"

    assert dict(entries(files)) == {b"a\nb": "M", b"\xff\xfe": "A", b" ": "D"}
    assert listed(dict(entries(files))) == files
    assert Change("b", "a", files).count() == 3
    assert (Change("b", "a", b"").count(), Change("b", "a", None).count()) == (0, None)


def test_hooks_are_told_by_variables() -> None:
    assert variables(Change("b", "a"), ref="main", link="/l", files="/f") == {
        "GITSYNC_HASH": "b",
        "GITSYNC_PREVIOUS_HASH": "a",
        "GITSYNC_REF": "main",
        "GITSYNC_LINK": "/l",
        "GITSYNC_CHANGED_FILES": "/f",
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change("b", "a", b"M\0f\0"), {"hash": "b", "previous_hash": "a", "changed_files": 1}),
        (Change("b", "a", b""), {"hash": "b", "previous_hash": "a", "changed_files": 0}),
        (Change("b"), {"hash": "b", "previous_hash": None, "changed_files": None}),
    ],
    ids=["changed", "nothing changed", "first"],
)
def test_the_json_body_says_the_same(change: Change, told: dict[str, object]) -> None:
    body = message.body(change, repo="r", ref="\u00e9", link="/l", sent_at="t")

    rest = {"version": 1, "ref": "\u00e9", "repo": "r", "link": "/l", "sent_at": "t"}
    assert json.loads(body) == {**told, **rest}
    assert body.isascii()


def test_the_signature_is_the_hmac_of_rfc_4231() -> None:
    """Test case 2 of the RFC."""
    assert message.signature(b"Jefe", b"what do ya want for nothing?") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
