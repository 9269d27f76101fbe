"""A reply goes through byte for byte, however TCP cuts it, and never in one piece with another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podmates_redis.wire.replies import (
    DEPTH_LIMIT,
    LINE_LIMIT,
    BrokenReply,
    Replies,
    first_word,
    flat_strings,
)
from tests.unit.redis.test_requests import cuts

ONE_REPLY = {
    "status": b"+OK\r\n",
    "error": b"-ERR no\r\n",
    "number": b":-12\r\n",
    "bulk": b"$3\r\nfoo\r\n",
    "empty bulk": b"$0\r\n\r\n",
    "a body that looks like a header": b"$5\r\n*9\r\n!\r\n",
    "null bulk": b"$-1\r\n",
    "null array": b"*-1\r\n",
    "empty array": b"*0\r\n",
    "array of arrays": b"*2\r\n*2\r\n:1\r\n*0\r\n*1\r\n$1\r\nx\r\n",
    "map": b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
    "set": b"~2\r\n+a\r\n+b\r\n",
    "null": b"_\r\n",
    "double": b",1.5\r\n",
    "boolean": b"#t\r\n",
    "big number": b"(123456789012345678901234567890\r\n",
    "verbatim": b"=7\r\ntxt:abc\r\n",
    "bulk error": b"!5\r\nERR x\r\n",
    "attribute before its reply": b"|1\r\n+ttl\r\n:9\r\n+OK\r\n",
    "attribute inside": b"*2\r\n|1\r\n+a\r\n:1\r\n:2\r\n:3\r\n",
    "a message inside": b"*2\r\n>3\r\n+message\r\n+c\r\n+m\r\n:1\r\n+PONG\r\n",
    "push": b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n",
}
GARBAGE = {
    b"?\r\n": "unknown type",
    b"\r\n": "unknown type",
    b"$x\r\n": "bad length",
    b"$\r\n": "bad length",
    b"$+1\r\n": "bad length",
    b"$ 1\r\n": "bad length",
    b"$1_0\r\n": "bad length",
    b"$-5\r\n": "bad length",
    b"*-2\r\n": "bad length",
    b"*1\r\r\n": "bad length",
    b"*1\n": "bad length",
    b"*" + b"9" * 900 + b"\r\n": "bad length",
    b"*1\r\n" * (DEPTH_LIMIT + 1): "nested deeper",
    b"+" + b"x" * (LINE_LIMIT + 1): "longer than",
}


@pytest.mark.parametrize("reply", ONE_REPLY.values(), ids=ONE_REPLY.keys())
def test_a_reply_survives_every_cut(reply: bytes) -> None:
    """Between two others, its parts join to what was sent, and exactly one of them ends it."""
    for pieces in cuts(b"+before\r\n" + reply + b"+after\r\n"):
        splitter, whole = Replies(), [b""]
        for piece in pieces:
            for data, end in splitter.feed(piece):
                whole[-1] += data
                whole += [b""] if end else []

        assert whole == [b"+before\r\n", reply, b"+after\r\n", b""]


def test_a_large_reply_is_not_held_back() -> None:
    splitter = Replies()

    assert splitter.feed(b"$1000000\r\n") == [(b"$1000000\r\n", False)]
    assert splitter.feed(b"x" * 1000) == [(b"x" * 1000, False)]


@pytest.mark.parametrize(("data", "reason"), GARBAGE.items(), ids=lambda part: repr(part)[:20])
def test_garbage_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenReply, match=reason):
        Replies().feed(data)


@given(st.binary(max_size=200))
def test_no_bytes_break_it_otherwise(stream: bytes) -> None:
    outcome: list[object] = []
    for pieces in ([stream], [stream[i : i + 1] for i in range(len(stream))]):
        splitter, got = Replies(), b""
        try:
            for piece in pieces:
                got += b"".join(part.data for part in splitter.feed(piece))
            outcome.append(got)
        except BrokenReply:
            outcome.append(None)

    assert outcome[0] == outcome[1]


def test_the_first_word_of_an_error() -> None:
    assert first_word(b"-READONLY You can't write\r\n") == b"READONLY"
    assert first_word(b"-\r\n") == first_word(b"-  \r\n") == first_word(b"-\r\r\n") == b""


def test_flat_strings_of_short_frames() -> None:
    assert flat_strings(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n") == [b"subscribe", b"c", b"1"]
    assert flat_strings(b">3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n") == [b"unsubscribe", b"", b"0"]
    assert flat_strings(b"*1\r\n*1\r\n:1\r\n") == []
    assert flat_strings(b"+OK\r\n") == []
    # a broken server's frames are read as they were cut
    assert flat_strings(b">2\r\n$7\nmessage\r\n+a\n") == [b"message", b"a"]
    assert flat_strings(b"*2\r\n+a\n:1\n") == [b"a", b"1"]


def test_it_says_how_much_of_a_body_is_missing() -> None:
    replies = Replies()
    seen = []
    for piece in (b"*2\r\n", b"$1000\r\n", b"x" * 400, b"x" * 600, b"\r\n:1", b"\r\n"):
        replies.feed(piece)
        seen.append(replies.missing)
    assert seen == [0, 1002, 602, 2, 0, 0]
