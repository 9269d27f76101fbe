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


# lengths of strings, their line end with them; nothing follows the length of none
_SHORT = {b"-1\r\n": 0, **{b"%d\r\n" % size: size + 2 for size in range(1024)}}
_part = tuple.__new__  # that of a named tuple is written in Python


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
        self.missing = 0  # bytes of a body still to come, its CRLF included
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

    def _whole(self, data: bytes, parts: list[Part]) -> int:
        """Take the short replies that are here whole, in one loop for speed; return where the rest begins."""
        at, size = 0, len(data)
        while at < size:
            end = data.find(b"\n", at) + 1
            kind = data[at]
            if kind == 0x24:  # a string
                length = _SHORT.get(data[at + 1 : end], -1)
                if length < 0 or end + length > size:
                    break
                end += length
            elif not end or kind not in _SCALARS:
                break
            parts.append(_part(Part, (data[at:end], True)))
            at = end
        return at

    def _cut(self, data: bytes) -> list[Part]:
        parts: list[Part] = []
        size = len(data)
        start = at = 0 if self.missing or self._left else self._whole(data, parts)
        while at < size:
            if self.missing:
                step = min(self.missing, size - at)
                at += step
                self.missing -= step
                if self.missing:
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
            self.missing = count + 2 if count >= 0 else 0
            return count < 0
        # an attribute is followed by the value it belongs to; a message that Redis 6 and 7.0 put into the
        # reply of who sent it (PUBLISH in EXEC) is no value of that reply, so the next one is
        count = count * factor + (kind == _ATTRIBUTE or (kind == PUSH and bool(self._left)))
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
    if text == b"-1\r":
        return -1
    if len(text) > 18 or not text.endswith(b"\r") or not text[:-1].isdigit():
        raise BrokenReply("bad length")
    return int(text)


def first_word(reply: bytes) -> bytes:
    """Return the word an error line starts with: ``READONLY`` of ``-READONLY You can't ...``."""
    words = reply[1:].split(None, 1)
    return words[0] if words else b""


def flat_strings(reply: bytes) -> list[bytes]:
    """Return the strings and numbers of a complete reply of one level; empty when it is anything else.

    Meant for the short frames of publish and subscribe, and for what we ask servers ourselves.
    """
    found: list[bytes] = []
    at = reply.find(b"\n") + 1
    if reply[:1] not in (b"*", b">"):
        return found
    while 0 < at < len(reply):
        end = reply.index(b"\n", at)  # as a reply is cut, so that it is read as it was cut
        kind, text = reply[at], reply[at + 1 : end].removesuffix(b"\r")
        at = end + 1
        if kind in _BODIES and text != b"-1":
            size = int(text)
            found.append(reply[at : at + size])
            at += size + 2
        elif kind in _SCALARS or kind in _BODIES:
            found.append(b"" if kind in _BODIES else text)
        else:
            return []
    return found


_NOTHING = (b"_", b"$-1", b"$0", b":0", b":-", b"*0", b"*-1", b"%0", b"~0", b"#f", b"+none", b"|")


def absent(part: bytes) -> bool:
    """Tell whether a reply that begins with *part* may be the one about a key that does not exist.

    Such a list has elements only where the command asks for several things, and then the first is nothing.
    """
    for _ in range(DEPTH_LIMIT):
        if part.startswith(_NOTHING):
            return True
        if part[:1] not in (b"*", b"~"):
            return False
        part = part[part.find(b"\n") + 1 :]
        if not part:
            return True  # not here yet
    return True
