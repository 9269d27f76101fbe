"""Lines from pieces, and which file of a log is read from where: decided without a file."""

from __future__ import annotations

import pytest

from podmates_metrics.tailing.following import MAX_LEFT, Following, Key, Place, Seen, digest
from podmates_metrics.tailing.lines import MAX_LINE, Lines
from podmates_metrics.tailing.tail import matches

TEXT = b"first\r\n\nsecond \xc3\xa9\n" + b"x" * (MAX_LINE + 5) + b"\nlast"
WANTED = ["first", "second é", "x" * MAX_LINE]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 4096, 1 << 20])
def test_lines_are_the_same_however_they_are_cut(piece: int) -> None:
    lines = Lines()
    found: list[str] = []
    for start in range(0, len(TEXT), piece):
        found += lines.feed(TEXT[start : start + piece])

    assert found == WANTED
    assert (lines.cut, lines.waiting) == (1, len(b"last"))
    assert list(lines.rest()) == ["last"]
    assert list(lines.rest()) == []


def test_the_rest_of_a_line_that_began_before_is_passed_over() -> None:
    lines = Lines(inside=True)

    assert list(lines.feed(b"alf\nwho")) + list(lines.feed(b"le\n")) == ["whole"]


A, B, C = Key(1, 1), Key(1, 2), Key(1, 3)


def follow(
    following: Following, names: dict[str, Key], size: int = 100, mark: bytes = b"m"
) -> dict[Key, int]:
    """Open what is new under *names*; return the offsets by file."""
    for key, some in following.look(names).items():
        following.opened(key, some, Seen(size, mark), last=b"\n", now=0.0)
    following.begun = True
    return {key: followed.offset for key, followed in following.files.items()}


def test_what_is_there_at_the_start_is_read_from_its_end_and_what_comes_later_from_its_beginning() -> None:
    following = Following("end")

    assert follow(following, {"a": A}) == {A: 100}
    assert follow(following, {"a": B, "c": C}) == {A: 100, B: 0, C: 0}
    assert follow(Following("start"), {"a": A}) == {A: 0}


def test_a_line_that_is_half_there_at_the_start_is_none() -> None:
    following = Following("end")
    followed = following.opened(A, frozenset({"a"}), Seen(4, b"half"), last=b"f", now=0.0)

    assert list(followed.lines.feed(b" a line\nwhole\n")) == ["whole"]


SAVED = {
    "the same file": (Place(40, 4, digest(b"mark")), 40),
    "another in its place": (Place(40, 4, digest(b"past")), 0),
    "it was cut off": (Place(101, 4, digest(b"mark")), 0),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_file_is_read_on_where_it_was_left(name: str) -> None:
    place, offset = SAVED[name]
    saved = Following("saved", {A: place})

    assert follow(saved, {"a": A, "b": B}, mark=b"mark of it") == {A: offset, B: 0}
    assert follow(Following("saved", None), {"a": A}) == {A: 100}, "nothing was saved: from the end"


def test_a_place_that_is_saved_is_that_of_a_whole_line() -> None:
    following = Following("start")
    follow(following, {"a": A})
    followed = following.files[A]
    list(followed.lines.feed(b"one\ntw"))
    followed.offset = 6

    assert followed.place == Place(4, 1, digest(b"m"))


def test_a_file_begins_anew_when_it_is_shorter_or_begins_otherwise() -> None:
    following = Following("end")
    follow(following, {"a": A})
    followed = following.files[A]
    for seen, offset in ((Seen(100, b"ma"), 100), (Seen(99, b"ma"), 0), (Seen(99, b"mb"), 0)):
        following.check(followed, seen)
        assert followed.offset == offset
    assert following.truncations == 2


def test_a_renamed_file_is_read_until_it_is_silent_and_another_has_its_name() -> None:
    following = Following("end")
    follow(following, {"a": A})
    followed, seen = following.files[A], Seen(100, b"m")
    assert not following.over(followed, seen, 1000.0), "it has its name"
    follow(following, {})
    assert not following.over(followed, seen, 1020.0), "no other is there yet"
    follow(following, {"a": A})
    assert not following.over(followed, seen, 2000.0)
    follow(following, {"a": B})
    assert not following.over(followed, seen, 2009.0), "who writes it may not have heard of that"
    followed.read = 2009.0
    assert not following.over(followed, seen, 2018.0)
    assert following.over(followed, seen, 2019.0)


def test_the_last_line_of_a_replaced_file_is_whole_without_its_end_when_none_has_come() -> None:
    following = Following("end")
    follow(following, {"a": A})
    followed = following.files[A]
    list(followed.lines.feed(b"half"))
    assert not following.ended(followed, 1000.0), "it has its name"
    follow(following, {"a": B})
    followed.read = 1000.0
    assert not following.ended(followed, 1000.5)
    assert following.ended(followed, 1001.0)


def test_a_file_without_any_name_is_let_go_after_a_while() -> None:
    following = Following("end")
    follow(following, {"a": A})
    follow(following, {})

    assert not following.over(following.files[A], Seen(100, b"m", links=0), 5.0)
    assert following.over(following.files[A], Seen(100, b"m", links=0), 15.0)


def test_a_file_with_two_names_is_one() -> None:
    following = Following("end")

    assert follow(following, {"a": A, "link": A}) == {A: 100}
    follow(following, {"a.1": A, "a": B})
    assert following.files[A].named
    assert following.files[A].names == {"a.1"}


MATCHES = {
    ("/a/b.log", "/a/b.log"): True,
    ("/a/b.log", "/a/*.log"): True,
    ("/a/b/c.log", "/a/*.log"): False,
    ("/a/b/c.log", "/a/**/*.log"): True,
    ("/a/c.log", "/a/**/*.log"): True,
    ("/a/.b/c.log", "/a/**/*.log"): False,
    ("/a/.c.log", "/a/*.log"): False,
    ("/a/.c.log", "/a/.*.log"): True,
    ("/a/b", "/a/[!c]"): True,
    ("/a", "/a/b"): False,
}


@pytest.mark.parametrize(("path", "pattern"), MATCHES)
def test_a_path_matches_as_glob_would_find_it(path: str, pattern: str) -> None:
    assert matches(path, pattern) is MATCHES[path, pattern]


def test_files_that_were_let_go_are_known_and_the_oldest_of_very_many_forgotten() -> None:
    following = Following("start")
    keys = [Key(2, number) for number in range(MAX_LEFT + 1)]
    for key in keys:
        follow(following, {"a": key})
        following.files[key].offset = 50
        following.let_go(following.files[key])

    assert follow(following, {"a": keys[0], "b": keys[-1]}) == {keys[0]: 0, keys[-1]: 50}
    assert follow(following, {"c": keys[1]}, mark=b"other")[keys[1]] == 0, "another took its place"
