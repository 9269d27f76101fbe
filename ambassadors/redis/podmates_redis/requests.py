"""Cuts what a client sends into requests, as a server does, error texts included. No I/O.

The law of this file
 1. Linear: a byte is looked at once, however TCP cuts the stream; a body is skipped, never scanned.
 2. A request is whole or not there: nothing of an incomplete one gets out.
 3. After a violation nothing more comes out; `broken` holds the error line for the client.
"""

from __future__ import annotations

import re
from typing import NamedTuple

INLINE_LIMIT = 64 * 1024  # bytes of a line that has no end yet, as in the server
_SMALL = {b"%d" % number: number for number in range(1024)}  # canonical lengths and counts
_CANONICAL = re.compile(rb"(?:0|-?[1-9][0-9]{0,18})\Z")
_MOST_ARGUMENTS = 2**31 - 1
_WORD_END = b" \t\r\n\0\v\f"
_ESCAPES = {ord("n"): b"\n", ord("r"): b"\r", ord("t"): b"\t", ord("b"): b"\b", ord("a"): b"\a"}
_HEX_PAIR = re.compile(rb"[0-9a-fA-F]{2}")


class Request(NamedTuple):
    """One command: its words, and its bytes as a server takes them."""

    args: list[bytes]
    raw: bytes


def encode(*args: bytes) -> bytes:
    """Return the array of bulk strings that says *args*."""
    return b"*%d\r\n" % len(args) + b"".join([b"$%d\r\n%b\r\n" % (len(a), a) for a in args])


class Requests:
    """The requests in one client's stream.

    `broken` is None while the stream is sound, else the line to answer before closing.
    """

    def __init__(self, *, bulk_limit: int = 512 << 20, buffer_limit: int = 1 << 30) -> None:
        self.broken: bytes | None = None
        self._bulk_limit, self._buffer_limit = bulk_limit, buffer_limit  # bytes
        self._buffer: bytes | bytearray = b""
        self._at = 0  # where reading goes on; everything before belongs to the request in hand
        self._start = 0  # where the request in hand begins
        self._left = 0  # bulk strings still missing from it; 0: between requests
        self._size = -1  # length of the bulk string in hand; -1: its header is still to come
        self._searched = 0  # no line end before this place
        self._args: list[bytes] = []

    def feed(self, data: bytes) -> list[Request]:
        """Take *data* and return the requests that are complete now."""
        if self.broken is not None:
            return []
        if not self._buffer:
            self._buffer = data
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        found: list[Request] = []
        if not self._left and isinstance(self._buffer, bytes):
            self._whole(self._buffer, found)
        while self.broken is None and self._step(found):
            pass
        self._forget()
        return found

    def _whole(self, data: bytes, found: list[Request]) -> None:
        """Take the requests that are here whole and as clients write them: one loop, for speed.

        What is cut, large or odd is left to `_step`, which knows all the rules.
        """
        at, size = self._at, len(data)
        while at < size and data[at] == 0x2A:
            end = data.find(b"\r\n", at)
            place = end + 2
            args: list[bytes] = []
            for _ in range(_SMALL.get(data[at + 1 : end], 0)):
                end = data.find(b"\r\n", place)
                length = _SMALL.get(data[place + 1 : end], -1)
                stop = end + 2 + length
                if end < 0 or length < 0 or data[place] != 0x24 or stop + 2 > size:
                    args = []
                    break
                args.append(data[end + 2 : stop])
                place = stop + 2
            if not args:
                break
            found.append(Request(args, data[at:place]))
            at = place
        self._at = self._start = at

    @property
    def waiting(self) -> int:
        """Bytes of the request that is not complete yet."""
        return len(self._buffer)

    def _forget(self) -> None:
        if self._start == len(self._buffer) or self.broken is not None:
            self._buffer = b""
        elif self._start and isinstance(self._buffer, bytes):
            self._buffer = self._buffer[self._start :]
        elif self._start:
            del self._buffer[: self._start]  # type: ignore[union-attr]  # a bytearray here
        self._at -= self._start
        self._searched -= self._start
        self._start = 0
        if len(self._buffer) > self._buffer_limit:
            self.broken = b""

    def _step(self, found: list[Request]) -> bool:
        """Read one header or body; False when more bytes are needed."""
        if self._left and self._size >= 0:
            return self._body(found)
        if self._left:
            return self._bulk_header()
        if self._at >= len(self._buffer):
            return False
        return self._array_header() if self._buffer[self._at] == 0x2A else self._inline(found)

    def _line(self, end: bytes, excuse: bytes) -> int:
        """Return where the line in hand ends, or -1 and wait (or break when it is too long)."""
        place = self._buffer.find(end, max(self._at, self._searched))
        if place < 0:
            self._searched = len(self._buffer)
            if len(self._buffer) - self._at > INLINE_LIMIT:
                self._break(excuse)
        return place

    def _array_header(self) -> bool:
        end = self._line(b"\r", b"too big mbulk count string")
        if end < 0 or end + 2 > len(self._buffer):
            return False
        count = _integer(self._buffer[self._at + 1 : end])
        if count is None or count > _MOST_ARGUMENTS:
            return self._break(b"invalid multibulk length")
        self._at = end + 2
        if count > 0:
            self._left, self._args = count, []
        else:
            self._start = self._at
        return True

    def _bulk_header(self) -> bool:
        end = self._line(b"\r", b"too big bulk count string")
        if end < 0 or end + 2 > len(self._buffer):
            return False
        if self._buffer[self._at] != 0x24:
            return self._break(b"expected '$', got '%c'" % self._buffer[self._at])
        size = _integer(self._buffer[self._at + 1 : end])
        if size is None or not 0 <= size <= self._bulk_limit:
            return self._break(b"invalid bulk length")
        self._at, self._size = end + 2, size
        return True

    def _body(self, found: list[Request]) -> bool:
        end = self._at + self._size
        if end + 2 > len(self._buffer):  # the two bytes behind a body are skipped unseen, as in the server
            return False
        self._args.append(bytes(self._buffer[self._at : end]))
        self._at, self._size, self._left = end + 2, -1, self._left - 1
        if not self._left:
            found.append(Request(self._args, bytes(self._buffer[self._start : self._at])))
            self._start = self._at
        return True

    def _inline(self, found: list[Request]) -> bool:
        end = self._line(b"\n", b"too big inline request")
        if end < 0:
            return False
        line = bytes(self._buffer[self._at : end]).removesuffix(b"\r")
        args = words(line)
        if args is None:
            return self._break(b"unbalanced quotes in request")
        self._at = self._start = end + 1
        if args:
            found.append(Request(args, encode(*args)))
        return True

    def _break(self, why: bytes) -> bool:
        # a client's bytes must never end our line early
        clean = why.replace(b"\r", b" ").replace(b"\n", b" ")
        self.broken = b"-ERR Protocol error: " + clean + b"\r\n"
        return False


def _integer(text: bytes | bytearray) -> int | None:
    return int(text) if _CANONICAL.match(text) else None


def words(line: bytes) -> list[bytes] | None:
    """Split an inline command as the server's sdssplitargs does; None when its quotes do not balance."""
    found: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at] in _WORD_END:
            at += 1
        if at == len(line) or line[at] == 0:
            return found
        word = _word(line, at)
        if word is None:
            return None
        found.append(word[0])
        at = word[1]


def _word(line: bytes, at: int) -> tuple[bytes, int] | None:
    """Return the word at *at* and where it ends."""
    word = bytearray()
    while at < len(line) and line[at] not in _WORD_END:
        if line[at] not in b"\"'":
            word.append(line[at])
            at += 1
            continue
        quoted = _quoted(line, at, word)
        if quoted is None:
            return None
        return bytes(word), quoted  # a closing quote ends the word
    return bytes(word), at


def _quoted(line: bytes, at: int, word: bytearray) -> int | None:
    """Add the quoted text at *at* to *word*; return the place behind it."""
    quote, at = line[at], at + 1
    while at < len(line):
        if line[at] == quote:
            closed = at + 1 == len(line) or line[at + 1] in _WORD_END
            return at + 1 if closed else None
        if line[at] == 0x5C and (escaped := _escape(line, at, quote)):
            word += escaped[0]
            at = escaped[1]
        else:
            word.append(line[at])
            at += 1
    return None


def _escape(line: bytes, at: int, quote: int) -> tuple[bytes, int] | None:
    """Return what the backslash at *at* stands for; None when it stands for itself."""
    if at + 1 == len(line):
        return None
    letter = line[at + 1]
    if quote == 0x27:
        return (b"'", at + 2) if letter == 0x27 else None
    pair = _HEX_PAIR.match(line, at + 2) if letter == 0x78 else None
    if pair:
        return bytes([int(pair[0], 16)]), at + 4
    return _ESCAPES.get(letter, bytes([letter])), at + 2
