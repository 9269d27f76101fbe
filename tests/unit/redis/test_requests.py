"""A request is the same request however TCP cuts it, and a violation is told in the server's words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podmates_redis.wire.inline import words
from podmates_redis.wire.requests import INLINE_LIMIT, Requests, encode

STREAMS = {
    "array": (b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", [[b"GET", b"k"]]),
    "empty argument": (b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", [[b"GET", b""]]),
    "a body that looks like a header": (
        b"*2\r\n$4\r\nECHO\r\n$8\r\n*1\r\n$9\r\n\r\n",
        [[b"ECHO", b"*1\r\n$9\r\n"]],
    ),
    "the two bytes behind a body are not looked at": (
        b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
        [[b"PING"]] * 2,
    ),
    "empty arrays are skipped": (b"*0\r\n*-1\r\n*-10\r\n*1\r\n$4\r\nPING\r\n", [[b"PING"]]),
    "inline": (b"SET k v\r\n", [[b"SET", b"k", b"v"]]),
    "inline that ends in a bare line feed": (b"PING\nPING\n", [[b"PING"], [b"PING"]]),
    "empty lines": (b"\r\n\r\n\nPING\r\n", [[b"PING"]]),
    "inline, then array": (b"PING\r\n*1\r\n$4\r\nECHO\r\n", [[b"PING"], [b"ECHO"]]),
}
VIOLATIONS = {
    b"*a\r\n": b"invalid multibulk length",
    b"*+1\r\n": b"invalid multibulk length",
    b"*01\r\n": b"invalid multibulk length",
    b"*2147483648\r\n": b"invalid multibulk length",
    b"*-9223372036854775809\r\n": b"invalid multibulk length",
    b"*" + b"1" * (INLINE_LIMIT + 1): b"too big mbulk count string",
    b"*1\r\nPING\r\n": b"expected '$', got 'P'",
    b"*1\r\n\r\n\r\n": b"expected '$', got ' '",
    b"*1\r\n$-1\r\n": b"invalid bulk length",
    b"*1\r\n$04\r\n": b"invalid bulk length",
    b"*1\r\n$536870913\r\n": b"invalid bulk length",
    b"*1\r\n$" + b"1" * (INLINE_LIMIT + 1): b"too big bulk count string",
    b'SET k "v\r\n': b"unbalanced quotes in request",
    b"x" * (INLINE_LIMIT + 1): b"too big inline request",
}
LINES = {
    b"a  b\tc": [b"a", b"b", b"c"],
    b'"a b" c': [b"a b", b"c"],
    b"'it\\'s' \"\\x41\\n\\q\"": [b"it's", b"A\nq"],
    b'""': [b""],
    b'"a"b': None,
    b"'a": None,
    b'"a\\"': None,
    b"": [],
}


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Yield *data* whole, byte by byte, and in two at every position."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    yield from ([data[:i], data[i:]] for i in range(1, len(data)))


ODD = (b"*1\r\n$4\r\nPINGxx", b"*1\rx$4\r\nPING\r\n", b"*1\r\n$4\rxPING\r\n")


@pytest.mark.parametrize("odd", ODD)
def test_no_line_end_that_a_server_might_refuse_is_passed_on(odd: bytes) -> None:
    """Valkey 9 closes the connection for one, and by then the connection may carry others' commands."""
    good = encode(b"PING")
    for pieces in cuts(good + odd + good):
        splitter = Requests()
        found = [request.raw for piece in pieces for request in splitter.feed(piece)]

        assert found == [good] * 3


@pytest.mark.parametrize(("stream", "wanted"), STREAMS.values(), ids=STREAMS.keys())
def test_requests_survive_every_cut(stream: bytes, wanted: list[list[bytes]]) -> None:
    for pieces in cuts(stream):
        splitter = Requests()
        found = [request for piece in pieces for request in splitter.feed(piece)]

        assert [request.args for request in found] == wanted
        assert splitter.waiting == 0
        assert splitter.broken is None


@pytest.mark.parametrize(("stream", "wanted"), STREAMS.values(), ids=STREAMS.keys())
def test_the_bytes_of_a_request_say_the_same_again(stream: bytes, wanted: list[list[bytes]]) -> None:
    raw = b"".join(request.raw for request in Requests().feed(stream))

    assert [request.args for request in Requests().feed(raw)] == wanted


@pytest.mark.parametrize(("stream", "reason"), VIOLATIONS.items(), ids=lambda part: repr(part)[:24])
def test_a_violation_ends_the_stream_in_the_servers_words(stream: bytes, reason: bytes) -> None:
    splitter = Requests()

    assert [r.args for r in splitter.feed(b"*1\r\n$4\r\nPING\r\n" + stream)] == [[b"PING"]]
    assert splitter.broken == b"-ERR Protocol error: " + reason + b"\r\n"
    assert splitter.feed(b"*1\r\n$4\r\nPING\r\n") == []


def test_an_inline_command_with_a_zero_in_it_has_no_end() -> None:
    """No server looks for one behind it: bytes of another protocol (TLS) are not taken for commands."""
    for pieces in cuts(b"PING\nPI\0NG\nPING\r\n\0\n"):
        splitter = Requests()
        found = [request.args for piece in pieces for request in splitter.feed(piece)]

        assert (found, splitter.broken) == ([[b"PING"]], None)
    assert [splitter.feed(b"x\n" * 1024) for _ in range(33)][-1] == []
    assert splitter.broken == b"-ERR Protocol error: too big inline request\r\n"


def test_a_stream_larger_than_the_buffer_is_closed_without_a_word() -> None:
    splitter = Requests(bulk_limit=1 << 20, buffer_limit=1000)
    splitter.feed(b"*1\r\n$2000\r\n" + b"x" * 1500)

    assert splitter.broken == b""


@pytest.mark.parametrize(("line", "wanted"), LINES.items(), ids=repr)
def test_an_inline_command_is_split_as_the_server_does(line: bytes, wanted: list[bytes] | None) -> None:
    assert words(line) == wanted


@given(st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=4), max_size=5), st.data())
def test_any_requests_in_any_pieces(requests: list[list[bytes]], data: st.DataObject) -> None:
    stream = b"".join(encode(*args) for args in requests)
    splitter, found, at = Requests(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 20))
        found += splitter.feed(stream[at : at + size])
        at += size

    assert [request.args for request in found] == requests


@given(st.binary(max_size=200))
def test_no_bytes_break_it(stream: bytes) -> None:
    whole, single = Requests(), Requests()
    at_once = [request.args for request in whole.feed(stream)]
    one_by_one = [r.args for i in range(len(stream)) for r in single.feed(stream[i : i + 1])]

    assert at_once == one_by_one
    assert whole.broken == single.broken


def test_it_says_how_much_of_an_argument_is_missing() -> None:
    requests = Requests()
    seen = []
    for piece in (b"*3\r\n$3\r\nSET\r\n$1\r\n", b"k\r\n$1000\r\n", b"x" * 400, b"x" * 600, b"\r", b"\n"):
        requests.feed(piece)
        seen.append(requests.missing)
    assert seen == [3, 1002, 602, 2, 1, 0]
