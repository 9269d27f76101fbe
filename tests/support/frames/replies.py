"""Replies of every shape, and what a parser under test makes of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

_LINES = (
    b"+OK",
    b"+",
    b":0",
    b":-12",
    b"-ERR no",
    b"-READONLY You can't",
    b"_",
    b",1.5",
    b",inf",
    b"#t",
    b"(123",
)
_NULLS = (b"$-1", b"*-1")
_LENGTHS = (0, 1, 2, 5, 30, 99, 1024)
_ODD = (b"\r\n", b"*2\r\n", b"+OK\r\n", b"$-1\r\n", b"\n\n\n")
_GROUPS = {b"*": 1, b"~": 1, b"%": 2}


class Bit(Protocol):
    """A part of a reply as a parser gives it."""

    @property
    def data(self) -> bytes: ...
    @property
    def end(self) -> bool: ...


class Parser(Protocol):
    """What cuts a server's stream."""

    def feed(self, data: bytes) -> Sequence[Bit]: ...


class Outcome(NamedTuple):
    """What a parser made of a stream: whole replies, what is open, and whether the stream was refused."""

    replies: list[bytes]
    rest: bytes
    broken: bool


def value(draw: random.Random, depth: int = 0) -> bytes:
    """Return one value as a server says it, of any type and shape."""
    kind = draw.random()
    if depth > 6 or kind < 0.35:
        return draw.choice(_LINES) + b"\r\n"
    if kind < 0.4:
        return draw.choice(_NULLS) + b"\r\n"
    if kind < 0.7:
        body = draw.choice(_ODD) if kind < 0.45 else draw.randbytes(draw.choice(_LENGTHS))
        return b"%b%d\r\n%b\r\n" % (draw.choice((b"$", b"$", b"=", b"!")), len(body), body)
    if kind < 0.73:
        deep = draw.randrange(500)
        return b"*1\r\n" * deep + b":1\r\n" if depth == 0 else b"*0\r\n"
    if kind < 0.78:
        return b"|1\r\n+hint\r\n" + value(draw, depth + 1) + value(draw, depth + 1)
    sign = draw.choice(list(_GROUPS))
    count = draw.choice((0, 1, 2, 3, 5))
    return b"%b%d\r\n" % (sign, count) + b"".join(
        value(draw, depth + 1) for _ in range(count * _GROUPS[sign])
    )


def reply(draw: random.Random) -> bytes:
    """Return a reply, or a push."""
    if draw.random() < 0.1:
        return b">2\r\n$7\r\nmessage\r\n" + value(draw, 1)
    return value(draw)


def play(make: Callable[[], Parser], parts: Iterable[bytes], refusal: type[Exception]) -> Outcome:
    """Return what a new parser makes of *parts*.

    Raises:
        AssertionError: a reply began with less than its first line, or a part was empty.
    """
    parser = make()
    found: list[bytes] = []
    open_part = b""
    for data in parts:
        try:
            bits = parser.feed(data)
        except refusal:
            return Outcome(found, open_part, True)
        for part, end in [(bit.data, bit.end) for bit in bits]:
            assert part
            assert open_part or b"\n" in part, "a reply begins with its whole first line"
            open_part += part
            if end:
                found.append(open_part)
                open_part = b""
    return Outcome(found, open_part, False)
