"""Cuts what a server sends into replies without changing a byte. No I/O.

The law of this file
 1. Linear: a byte is looked at once, however TCP cuts the stream; bodies are skipped, never scanned.
 2. Nothing is kept but the line in hand: a reply that is not complete comes out in parts, so
    that a large one never has to be held whole.
 3. The first part of a reply holds its first line whole; an error is therefore always one part.
"""

from __future__ import annotations

from typing import NamedTuple

LINE_LIMIT = 1 << 20  # bytes of a status, error or number line
DEPTH_LIMIT = 512  # levels of arrays within arrays
PUSH = 0x3E  # ">"
ERROR = 0x2D  # "-"
ARRAY = 0x2A  # "*"

_SCALARS = frozenset(b"+-:_,#(")
_BODIES = frozenset(b"$=!")
_GROUPS = {ord("*"): 1, ord("~"): 1, ord(">"): 1, ord("%"): 2, ord("|"): 2}
_ATTRIBUTE = ord("|")


class BrokenReply(Exception):
    """The bytes are not what a server sends: the connection cannot be trusted any more."""


class Part(NamedTuple):
    """Bytes of one reply; *end* tells whether they complete it."""

    data: bytes
    end: bool


class Replies:
    """The replies in one server's stream."""

    def __init__(self) -> None:
        self._line = bytearray()  # a line whose end has not come
        self._skip = 0  # bytes of a body still to come, its CRLF included
        self._left: list[int] = []  # per open level, values still to come

    def feed(self, data: bytes) -> list[Part]:
        """Take *data* and return the parts in it, in order.

        Raises:
            BrokenReply: close the connection; what it still owes is lost.
        """
        if self._line:
            end = data.find(b"\n")
            if end < 0:
                self._line += data
                self._check(len(self._line))
                return []
            data = bytes(self._line) + data
            self._line.clear()
        return self._cut(data)

    def _cut(self, data: bytes) -> list[Part]:
        parts: list[Part] = []
        start = at = 0
        size = len(data)
        while at < size:
            if self._skip:
                step = min(self._skip, size - at)
                at += step
                self._skip -= step
                if self._skip:
                    break
            else:
                end = data.find(b"\n", at)
                if end < 0:
                    self._check(size - at)
                    self._line += data[at:]
                    break
                complete = self._header(data, at, end)
                at = end + 1
                if not complete:
                    continue
            if self._value_done():
                parts.append(Part(data[start:at], True))
                start = at
        if at > start:
            parts.append(Part(data[start:at], False))
        return parts

    def _header(self, data: bytes, at: int, end: int) -> bool:
        """Read the line from *at* to *end*; True when it is a value of its own."""
        kind = data[at]
        if kind in _SCALARS:
            return True
        factor = _GROUPS.get(kind, 0)
        if not factor and kind not in _BODIES:
            raise BrokenReply(f"unknown type {chr(kind)!r}")
        count = _length(data[at + 1 : end])
        if not factor:
            self._skip = count + 2 if count >= 0 else 0
            return count < 0
        # an attribute is followed by the value it belongs to
        count = count * factor + (kind == _ATTRIBUTE)
        if count <= 0:
            return True
        self._left.append(count)
        if len(self._left) > DEPTH_LIMIT:
            raise BrokenReply(f"nested deeper than {DEPTH_LIMIT}")
        return False

    def _value_done(self) -> bool:
        """Count one value; True when it was the last of its reply."""
        left = self._left
        while left:
            left[-1] -= 1
            if left[-1]:
                return False
            left.pop()
        return True

    @staticmethod
    def _check(size: int) -> None:
        if size > LINE_LIMIT:
            raise BrokenReply(f"a line is longer than {LINE_LIMIT} bytes")


def _length(text: bytes) -> int:
    try:
        if len(text) > 32:
            raise ValueError
        return int(text)
    except ValueError:
        raise BrokenReply("bad length") from None


def first_word(reply: bytes) -> bytes:
    """Return the word an error line starts with: ``READONLY`` of ``-READONLY You can't ...``."""
    return reply[1:].split(None, 1)[0] if len(reply) > 3 else b""


def flat_strings(reply: bytes) -> list[bytes]:
    """Return the strings and numbers of a complete reply of one level; empty when it is anything else.

    Meant for the short frames of publish and subscribe, and for what we ask servers ourselves.
    """
    found: list[bytes] = []
    at = reply.find(b"\n") + 1
    if reply[:1] not in (b"*", b">"):
        return found
    while 0 < at < len(reply):
        end = reply.index(b"\r\n", at)
        kind, text = reply[at], reply[at + 1 : end]
        at = end + 2
        if kind in _BODIES and text != b"-1":
            size = int(text)
            found.append(reply[at : at + size])
            at += size + 2
        elif kind in _SCALARS or kind in _BODIES:
            found.append(b"" if kind in _BODIES else text)
        else:
            return []
    return found
