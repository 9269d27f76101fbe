"""Lines out of a stream: the same at every cut, and nothing kept beyond its bound."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podmates_metrics.statsd.framing import MAX_FRAME, MAX_LINE, Either, Frames, Newlines

Framing = Newlines | Frames | Either


def frame(lines: bytes) -> bytes:
    return len(lines).to_bytes(4, "little") + lines


def lines(framing: Framing, *pieces: bytes) -> list[bytes]:
    """Return the lines of a stream that came in *pieces*."""
    taken = [got for piece in pieces if (got := framing.take(piece)) is not None]
    return [line for part in (*taken, framing.rest()) for line in part.split(b"\n") if line]


STREAMS: list[tuple[Callable[[], Framing], bytes, list[bytes]]] = [
    (Newlines, b"a:1|c\nb:2|c\r\n\nlast:3|c", [b"a:1|c", b"b:2|c", b"last:3|c"]),
    (Frames, frame(b"a:1|c\nb:2|c") + frame(b"") + frame(b"c:1|c"), [b"a:1|c", b"b:2|c", b"c:1|c"]),
    (Frames, frame(b"a:1|c") + frame(b"half")[:6], [b"a:1|c"]),
    (Either, b"a:1|c\nb:2|c", [b"a:1|c", b"b:2|c"]),
    (Either, b"a\nb\n", [b"a", b"b"]),
    (Either, b"ab", [b"ab"]),
    (Either, frame(b"a:1|c\nb:2|c"), [b"a:1|c", b"b:2|c"]),
    (Either, frame(b"abc:10|c\n\n"), [b"abc:10|c"]),  # whose length is written with a newline
]


@pytest.mark.parametrize(("make", "stream", "wanted"), STREAMS)
def test_lines_are_the_same_at_every_cut(
    make: Callable[[], Framing], stream: bytes, wanted: list[bytes]
) -> None:
    for cut in range(len(stream) + 1):
        assert lines(make(), stream[:cut], stream[cut:]) == wanted, cut
    assert lines(make(), *(bytes([byte]) for byte in stream)) == wanted


def test_a_line_that_is_too_long_breaks_the_stream_and_keeps_what_was_before() -> None:
    longest, subject = b"x" * MAX_LINE, Newlines()

    assert lines(Newlines(), longest + b"\nb") == [longest, b"b"]
    assert lines(subject, b"a\n" + longest, b"x\nb\n") == [b"a"]
    assert subject.broken


def test_a_frame_that_is_too_long_breaks_the_stream_and_keeps_what_was_before() -> None:
    longest, subject = b"x" * MAX_FRAME, Either()

    assert lines(Frames(), frame(longest)) == [longest]
    assert lines(subject, frame(b"a") + frame(b"x" + longest)) == [b"a"]
    assert subject.broken
