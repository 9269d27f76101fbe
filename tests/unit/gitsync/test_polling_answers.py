"""What a server says is believed whole or not at all, and a name means what git takes it for."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_gitsync.polling.lsrefs import Capabilities, NotVersion2, advertised, answered, question
from podmates_gitsync.polling.naming import can_be_asked, candidates, listed, resolve
from podmates_gitsync.polling.pktline import LONGEST, Marker, ProtocolError, packet, split

A, B, C = "a" * 40, "b" * 40, "c" * 40
LONG = "d" * 64
FLUSH = Marker.FLUSH.value
SHA1 = Capabilities("sha1", agent=True)
ADVERTISEMENT = (
    packet("# service=git-upload-pack")
    + FLUSH
    + b"".join(
        map(packet, ("version 2", "agent=git/2.39.5", "ls-refs=unborn", "fetch=shallow wait-for-done"))
    )
    + packet("object-format=sha1")
    + FLUSH
)
ANSWER = (
    packet(f"{A} HEAD symref-target:refs/heads/main")
    + packet(f"{A} refs/heads/main")
    + packet(f"{B} refs/tags/v1 peeled:{C}")
    + FLUSH
)
REFS = {"HEAD": A, "refs/heads/main": A, "refs/tags/v1": C}


def test_packets_count_themselves_and_lose_their_line_feed() -> None:
    assert packet("a") == b"0006a\n"
    assert split(b"0006a\n0005b00010000") == [b"a", b"b", Marker.DELIMITER, Marker.FLUSH]
    with pytest.raises(ValueError, match="room"):
        packet("x" * LONGEST)


@pytest.mark.parametrize(
    "body",
    [
        *(b"0", b"00", b"zzzz", b"0003", b"0005", b"0006a", b"ffffa", b"0000x", b"-001", b"+005a", b"00_5a"),
        *(b"000eERR go away", b"0006a\n000"),
    ],
)
def test_what_is_no_list_of_packets_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        split(body)


def test_an_advertisement_of_version_2_says_how_to_ask() -> None:
    assert advertised(ADVERTISEMENT) == SHA1
    assert advertised(ADVERTISEMENT.partition(FLUSH)[2]) == SHA1  # without the service line
    without = b"".join([packet("version 2"), packet("ls-refs"), FLUSH])
    assert advertised(without) == Capabilities(None, agent=False)
    assert (
        advertised(ADVERTISEMENT.replace(b"0017object-format=sha1", b"0019object-format=sha256")).digits == 64
    )


@pytest.mark.parametrize(
    "lines",
    [[f"{A} HEAD\0multi_ack thin-pack", f"{A} refs/heads/main"], ["version 1", f"{A} HEAD\0caps"]],
    ids=["version 0", "version 1"],
)
def test_an_older_version_is_told_apart(lines: list[str]) -> None:
    with pytest.raises(NotVersion2):
        advertised(b"".join([packet("# service=git-upload-pack"), FLUSH, *map(packet, lines), FLUSH]))


@pytest.mark.parametrize(
    "lines",
    [["version 2", "fetch"], ["version 2", "ls-refs", "object-format=md5"]],
    ids=["no ls-refs", "unknown hash"],
)
def test_a_server_that_cannot_be_asked_is_refused(lines: list[str]) -> None:
    with pytest.raises(ProtocolError):
        advertised(b"".join([*map(packet, lines), FLUSH]))


def test_the_question_is_gits() -> None:
    lines = split(question(SHA1, ["main", "refs/main"], "podmates/1"))

    assert lines == [
        *(b"command=ls-refs", b"agent=podmates/1", b"object-format=sha1", Marker.DELIMITER),
        *(b"peel", b"ref-prefix main", b"ref-prefix refs/main", Marker.FLUSH),
    ]
    assert b"agent" not in question(Capabilities(), ["main"], "podmates/1")
    assert b"object-format" not in question(Capabilities(), ["main"], "podmates/1")


def test_an_answer_maps_names_to_hashes_and_peels_tags() -> None:
    assert answered(ANSWER, SHA1) == REFS
    assert answered(FLUSH, SHA1) == {}
    assert answered(packet("unborn HEAD symref-target:refs/heads/main") + FLUSH, SHA1) == {}
    assert answered(packet(f"{LONG} HEAD") + FLUSH, Capabilities("sha256")) == {"HEAD": LONG}


@pytest.mark.parametrize(
    "line",
    [
        A,
        f"{A} ",
        f" {A} HEAD",
        f"{A[:-1]} HEAD",
        f"{LONG} HEAD",
        f"{A.upper()} HEAD",
        f"{'0' * 40} HEAD",
        f"{B} refs/tags/v1 peeled:{C[:-1]}",
        f"{B} refs/tags/v1 peeled:",
        "",
    ],
)
def test_a_line_that_is_no_ref_refuses_the_whole_answer(line: str) -> None:
    with pytest.raises(ProtocolError):
        answered(packet(f"{A} HEAD") + packet(line) + FLUSH, SHA1)


def test_a_ref_that_comes_twice_refuses_the_whole_answer() -> None:
    with pytest.raises(ProtocolError):
        answered(packet(f"{A} HEAD") + packet(f"{B} HEAD") + FLUSH, SHA1)


@pytest.mark.parametrize("tail", [b"", Marker.DELIMITER.value + FLUSH, FLUSH + packet(f"{B} x") + FLUSH])
def test_an_answer_ends_with_its_only_flush(tail: bytes) -> None:
    with pytest.raises(ProtocolError):
        answered(packet(f"{A} HEAD") + tail, SHA1)


@pytest.mark.parametrize("whole", [ADVERTISEMENT, ANSWER], ids=["advertisement", "answer"])
def test_every_cut_of_a_body_is_noticed(whole: bytes) -> None:
    read = advertised if whole is ADVERTISEMENT else lambda body: answered(body, SHA1)
    for end in range(len(whole)):
        with pytest.raises(ProtocolError):
            read(whole[:end])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(ANSWER)), st.integers(0, 40))
def test_a_mangled_answer_raises_one_thing_only(noise: bytes, at: int, gone: int) -> None:
    """Whatever the bytes are: refs with whole hashes, or a ProtocolError."""
    for body in (noise, ANSWER[:at] + noise + ANSWER[at + gone :]):
        with contextlib.suppress(ProtocolError):
            advertised(body)
        with contextlib.suppress(ProtocolError):
            assert all(len(commit) == 40 for commit in answered(body, SHA1).values())


NAMES = {
    "HEAD": True,
    "main": True,
    "feature/x": True,
    "refs/heads/main": True,
    "refs/pull/7/head": True,
    "v1.2+build": True,
    "größe": True,
    A: False,
    A.upper(): False,
    LONG: False,
    "a" * 39: True,
    "": False,
    "@": False,
    "a@{1}": False,
    "+main": False,
    "-main": False,
    "main:other": False,
    "main^{}": False,
    "main~1": False,
    "ma*n": False,
    "ma?n": False,
    "ma[in": False,
    "a b": False,
    "a\nb": False,
    "a..b": False,
    "a//b": False,
    "/a": False,
    "a/": False,
    ".a": False,
    "a/.b": False,
    "a.": False,
    "a.lock": False,
    "a.lock/b": False,
    "a\\b": False,
}


@pytest.mark.parametrize(("ref", "askable"), NAMES.items(), ids=map(repr, NAMES))
def test_only_plain_names_are_asked_about(ref: str, askable: bool) -> None:
    assert can_be_asked(ref) is askable


def test_a_name_means_the_first_of_gits_candidates() -> None:
    """Each is the answer once all before it are gone; what merely ends like it never is."""
    names = candidates("main")
    assert names == [
        *("main", "refs/main", "refs/tags/main", "refs/heads/main"),
        *("refs/remotes/main", "refs/remotes/main/HEAD"),
    ]
    refs = {"refs/heads/feature/main": "x", "refs/heads/main2": "y"} | {
        name: name for name in reversed(names)
    }
    for name in names:
        assert resolve("main", refs) == name
        del refs[name]
    assert resolve("main", refs) is None


def test_ls_remotes_lines_are_read_and_peeled() -> None:
    text = f"{A}\tHEAD\n{A}\trefs/heads/main\n{B}\trefs/tags/v1\n{C}\trefs/tags/v1^{{}}\n"
    assert listed(text) == REFS
    assert listed("") == {}


@pytest.mark.parametrize(
    "text", ["warning: x\n", f"{A} HEAD\n", f"{A}\t\n", f"{A[:-1]}\tHEAD\n", f"{A}\tHE… and 12 bytes more"]
)
def test_anything_else_from_ls_remote_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        listed(text)
