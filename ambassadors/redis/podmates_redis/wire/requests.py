"""Cuts what a client sends into requests, as a server does, error texts included. No I/O.

The law of this file
 1. Linear: a byte is looked at once, however TCP cuts the stream; a body is skipped, never scanned.
 2. A request is whole or not there: nothing of an incomplete one gets out.
 3. After a violation nothing more comes out; `broken` holds the error line for the client.
 4. The bytes of a request are as every server takes them: where one is lenient and another is not, they
    are written anew. Else one client's line end could end a connection that others share.
 5. A request with a word of at least `large` bytes is offered when the words before that one are here
    (`begun`), and reading stands still until `accept` says what becomes of it. One that is accepted leaves in
    `pieces` as it comes, and none of it is kept.
"""

from __future__ import annotations

from typing import NamedTuple

from podmates_redis.wire.inline import words
from podmates_redis.wire.numbers import canonical, number

INLINE_LIMIT = 64 * 1024  # bytes of a line that has no end yet, as in the server
_SMALL = {b"%d" % number: number for number in range(1024)}  # canonical lengths and counts
_WORD = 48  # bytes that a word takes, its own bytes apart
_MOST_ARGUMENTS = 2**31 - 1
_LOCKED_ARGUMENTS, _LOCKED_BULK = 10, 16384  # words of a request, and bytes of one, before a login


_request = tuple.__new__  # that of a named tuple is written in Python


class Request(NamedTuple):
    """One command: its words, and its bytes as every server takes them."""

    args: list[bytes]
    raw: bytes


class Begun(NamedTuple):
    """The beginning of a request of *total* words: those before a large one, and all bytes before that."""

    args: list[bytes]
    total: int
    raw: bytes


def encode(*args: bytes) -> bytes:
    """Return the array of bulk strings that says *args*."""
    return b"*%d\r\n" % len(args) + b"".join([b"$%d\r\n%b\r\n" % (len(a), a) for a in args])


class Requests:
    """The requests in one client's stream.

    `broken` is None while the stream is sound, else the line to answer before closing.
    """

    __slots__ = """
        _args _at _buffer _buffer_limit _bulk_limit _copied _left _odd _offered _searched _size _start begun
        broken large locked passing pieces
    """.split()  # noqa: SIM905  (one a line would hide what follows)

    def __init__(self, *, bulk_limit: int = 512 << 20, buffer_limit: int = 1 << 30) -> None:
        self.broken: bytes | None = None
        self.large = 1 << 62  # bytes
        self.begun: Begun | None = None
        self.passing = False  # a request leaves in pieces, and its end has not come
        self.pieces: list[bytes] = []
        self._offered = False
        self.locked = False  # before a login: requests are small, and come out one at a time
        self._bulk_limit, self._buffer_limit = bulk_limit, buffer_limit  # bytes
        self._buffer: bytes | bytearray = b""
        self._at = 0  # where reading goes on; everything before belongs to the request in hand
        self._start = 0  # where the request in hand begins
        self._left = 0  # bulk strings still missing from it; 0: between requests
        self._size = -1  # length of the bulk string in hand; -1: its header is still to come
        self._searched = 0  # no line end before this place
        self._args: list[bytes] = []
        self._copied = 0  # bytes of memory that they take
        self._odd = False  # a line of the request in hand ends in something else than CR LF

    def feed(self, data: bytes) -> list[Request]:
        """Take *data* and return the requests that are complete now."""
        if self.broken is not None:
            return []
        if not self._buffer:
            self._buffer = data
        elif data:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)
            self._buffer += data
        found: list[Request] = []
        if not self._left and isinstance(self._buffer, bytes) and not self.locked:
            self._whole(self._buffer, found)
        while not (self.broken is not None or self.begun is not None or (self.locked and found)):
            if not self._step(found):
                break
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
                if end < 0 or length < 0 or data[place] != 0x24 or data[stop : stop + 2] != b"\r\n":
                    args = []
                    break
                args.append(data[end + 2 : stop])
                place = stop + 2
            if not args:
                break
            found.append(_request(Request, (args, data[at:place])))
            at = place
        self._at = self._start = at

    def accept(self, yes: bool) -> None:
        """Let the request that is offered leave in pieces, or else be kept until it is here whole."""
        self.begun, self.passing = None, yes
        if yes:
            self._start, self._args, self._copied = self._at, [], 0

    def passed(self) -> list[bytes]:
        """Return what has come of a request that leaves in pieces."""
        pieces, self.pieces = self.pieces, []
        return pieces

    @property
    def missing(self) -> int:
        """Bytes still to come of the argument in hand, the line end behind it included."""
        return self._at + self._size + 2 - len(self._buffer) if self._size >= 0 else 0

    @property
    def weight(self) -> int:
        """Bytes of memory that the request in hand takes."""
        return len(self._buffer) + self._copied

    @property
    def waiting(self) -> int:
        """Bytes of the request that is not complete yet."""
        return len(self._buffer) or int(self.passing)

    def _forget(self) -> None:
        if self._start == len(self._buffer) or self.broken is not None:
            self._buffer = b""
        elif self.locked and self._start < INLINE_LIMIT:
            return  # there is more in it, and to move that for each request would cost its square
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
        count = number(self._buffer[self._at + 1 : end])
        if count is None or count > _MOST_ARGUMENTS:
            return self._break(b"invalid multibulk length")
        if self.locked and count > _LOCKED_ARGUMENTS:
            return self._break(b"unauthenticated multibulk length")
        self._at = end + 2
        if count > 0:
            self._left, self._args, self._copied, self._offered = count, [], 0, False
            self._odd = self._buffer[end + 1] != 0x0A
        else:
            self._start = self._at
        return True

    def _bulk_header(self) -> bool:
        end = self._line(b"\r", b"too big bulk count string")
        if end < 0 or end + 2 > len(self._buffer):
            return False
        if self._buffer[self._at] != 0x24:
            return self._break(b"expected '$', got '%c'" % self._buffer[self._at])
        size = canonical(self._buffer[self._at + 1 : end])
        if size is None or not 0 <= size <= self._bulk_limit:
            return self._break(b"invalid bulk length")
        if self.locked and size > _LOCKED_BULK:
            return self._break(b"unauthenticated bulk length")
        self._odd |= self._buffer[end + 1] != 0x0A
        self._at, self._size = end + 2, size
        if self.passing:
            self.pieces.append(b"$%d\r\n" % size)
            self._start = self._at
        return True

    def _body(self, found: list[Request]) -> bool:
        if self.passing:
            return self._pass()
        end = self._at + self._size
        if end + 2 > len(self._buffer):  # the two bytes behind a body are skipped unseen, as in the server
            if self._size >= self.large:
                self._offer()
            return False
        self._args.append(bytes(self._buffer[self._at : end]))
        self._copied += _WORD + self._size
        self._odd |= self._buffer[end : end + 2] != b"\r\n"
        self._at, self._size, self._left = end + 2, -1, self._left - 1
        if not self._left:
            raw = encode(*self._args) if self._odd else bytes(self._buffer[self._start : self._at])
            found.append(Request(self._args, raw))
            self._start, self._args, self._copied = self._at, [], 0
        return True

    def _offer(self) -> None:
        """Offer the request in hand, once, if a key of it may be here."""
        if self._offered or self.locked or len(self._args) < 2:
            return
        total = len(self._args) + self._left
        words = b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in self._args])
        self.begun = Begun(self._args, total, b"*%d\r\n%b$%d\r\n" % (total, words, self._size))
        self._offered = True

    def _pass(self) -> bool:
        """Let go what has come of a word."""
        stop = min(self._at + self._size, len(self._buffer))
        if stop > self._at:
            self.pieces.append(bytes(self._buffer[self._at : stop]))
            self._size -= stop - self._at
            self._at = self._start = stop
        if self._size or self._at + 2 > len(self._buffer):
            return False
        self.pieces.append(b"\r\n")
        self._at = self._start = self._at + 2
        self._size, self._left = -1, self._left - 1
        self.passing = self._left > 0
        return True

    def _inline(self, found: list[Request]) -> bool:
        end = self._line(b"\n", b"too big inline request")
        if end < 0:
            return False
        line = bytes(self._buffer[self._at : end]).removesuffix(b"\r")
        if line and b"\0" in line and self._endless():
            return False
        args = words(line)
        if args is None:
            return self._break(b"unbalanced quotes in request")
        self._at = self._start = end + 1
        if args:
            found.append(Request(args, encode(*args)))
        return True

    def _endless(self) -> bool:
        """Wait for more of a line with a zero in it: servers do not look behind that for the end."""
        if len(self._buffer) - self._at > INLINE_LIMIT:
            self._break(b"too big inline request")
        return True

    def _break(self, why: bytes) -> bool:
        # a client's bytes must never end our line early
        clean = why.replace(b"\r", b" ").replace(b"\n", b" ")
        self.broken = b"-ERR Protocol error: " + clean + b"\r\n"
        return False
