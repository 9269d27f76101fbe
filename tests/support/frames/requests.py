"""Streams of requests with what a server makes of them, and what a parser under test makes of them.

A piece is made together with its meaning, so nothing that parses is needed to know what is right.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

# lengths at which parsers change their ways
_LENGTHS = (0, 0, 1, 1, 2, 3, 5, 8, 13, 40, 99, 100, 1023, 1024, 1025)
_LONG = (16384, 65535, 65536, 65537, 100_000)
_ODD = (b"\r\n", b"*1\r\n$4\r\nPING\r\n", b"$-1\r\n", b"\0", b"\n", b"\r", b"$3\r\n")
_WORDS = (b"get", b"SET", b"k", b"v1", b"x" * 30)
_QUOTED = {b'"a b"': b"a b", b"'it\\'s'": b"it's", b'"\\x41\\n"': b"A\n", b'""': b"", b"a": b"a"}
_SKIPPED = (b"*0\r\n", b"*-1\r\n", b"*-10\r\n", b"\r\n", b"\n")


class Said(Protocol):
    """One request as a parser gives it."""

    @property
    def args(self) -> list[bytes]: ...
    @property
    def raw(self) -> bytes: ...


class Parser(Protocol):
    """What cuts a client's stream: the pure twin's interface, which a compiled one is wrapped in."""

    @property
    def broken(self) -> bytes | None: ...
    @property
    def waiting(self) -> int: ...
    def feed(self, data: bytes) -> Sequence[Said]: ...


class Piece(NamedTuple):
    """Bytes of a stream, and the requests in them: words and bytes as a server takes them."""

    data: bytes
    requests: list[tuple[list[bytes], bytes]]


class Outcome(NamedTuple):
    """What a parser made of a stream."""

    requests: list[tuple[list[bytes], bytes]]
    broken: bytes | None
    waiting: int


class Ending(NamedTuple):
    """A violation of the protocol, and its line."""

    data: bytes
    broken: bytes


def _error(why: bytes) -> bytes:
    return b"-ERR Protocol error: " + why + b"\r\n"


ENDINGS = [
    *(
        Ending(b"*%b\r\n" % count, _error(b"invalid multibulk length"))
        for count in (b"a", b"+1", b"01", b"2147483648", b"-0", b"1 ", b" 1", b"1_0", b"9" * 30, b"")
    ),
    *(
        Ending(b"*2\r\n$1\r\nx\r\n$%b\r\n" % size, _error(b"invalid bulk length"))
        for size in (b"-1", b"a", b"04", b"+4", b"536870913", b"1_0", b" 4", b"")
    ),
    Ending(b"*1\r\nPING\r\n", _error(b"expected '$', got 'P'")),
    Ending(b"*1\r\n\n\r\n", _error(b"expected '$', got ' '")),
    *(Ending(line + b"\r\n", _error(b"unbalanced quotes in request")) for line in (b'a "b', b"'", b'"a"b')),
    Ending(b"*" + b"1" * 65537, _error(b"too big mbulk count string")),
    Ending(b"*1\r\n$" + b"1" * 65537, _error(b"too big bulk count string")),
    Ending(b"x" * 65537, _error(b"too big inline request")),
]


def word(draw: random.Random) -> bytes:
    """Return an argument: short, long, empty, or looking like a frame."""
    kind = draw.random()
    if kind < 0.3:
        return draw.choice(_WORDS)
    if kind < 0.4:
        return draw.choice(_ODD)
    return draw.randbytes(draw.choice(_LONG) if kind > 0.998 else draw.choice(_LENGTHS))


def array(args: Sequence[bytes], ends: bytes = b"\r\n") -> bytes:
    """Return the array of bulk strings that says *args*; *ends* are the two bytes behind each body."""
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%b%b" % (len(a), a, ends) for a in args)


def piece(draw: random.Random) -> Piece:
    """Return a piece of a sound stream."""
    kind = draw.random()
    if kind < 0.80:
        count = draw.choice((1, 1, 2, 2, 3, 3, 4, 10)) if kind < 0.797 else draw.choice((1023, 1024, 1025))
        args = [word(draw) for _ in range(count)] if count < 1000 else [b"x"] * count
        data = array(args, b"\r\n" if kind < 0.78 else b"xy")
        return Piece(data, [(args, array(args))])
    if kind < 0.95:
        texts = [draw.choice(list(_QUOTED)) for _ in range(draw.randrange(1, 5))]
        args = [_QUOTED[text] for text in texts]
        line = draw.choice((b" ", b"  ", b"\t")).join(texts) + draw.choice((b"\r\n", b"\n", b" \r\n"))
        return Piece(line, [(args, array(args))])
    return Piece(draw.choice(_SKIPPED), [])


def play(make: Callable[[], Parser], parts: Iterable[bytes]) -> Outcome:
    """Return what a new parser makes of *parts*."""
    parser = make()
    found = [(request.args, request.raw) for part in parts for request in parser.feed(part)]
    return Outcome(found, parser.broken, parser.waiting)


def cut(data: bytes, draw: random.Random, pieces: int) -> list[bytes]:
    """Return *data* in so many pieces, or fewer."""
    places = sorted({0, len(data), *(draw.randrange(len(data) + 1) for _ in range(pieces - 1))})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def bent(data: bytes, draw: random.Random) -> bytes:
    """Return *data* with a few bytes changed, moved, doubled or left out."""
    bent = bytearray(data)
    for _ in range(draw.randrange(1, 5)):
        at, size = draw.randrange(len(bent) + 1), draw.choice((1, 1, 2, 5, 20))
        match draw.randrange(5):
            case 0:
                bent[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                del bent[at : at + size]
            case 2:
                bent[at:at] = bent[at : at + size]
            case 3:
                bent[at : at + 1] = draw.choice(
                    (b"*", b"$", b"\r", b"\n", b"-", b"0", b'"', b"'", b"9", b"\\")
                )
            case _:
                bent[at:at] = draw.choice((b"*2\r\n", b"$3\r\n", b"*-1\r\n", b"\r\n", b"$0\r\n\r\n"))
    return bytes(bent)
