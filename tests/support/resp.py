"""A Redis client that sees bytes: sends what it is told to and returns each reply as it came."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

_CRLF = b"\r\n"
_LINES = b"+-:,#(_"  # replies that end with their first line
_BULKS = b"$=!"
_AGGREGATES = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}  # type → elements per counted one

Word = bytes | str | int | float
Command = tuple[Word, ...]


def request(*words: Word) -> bytes:
    """Return a command as clients send it."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class Closed(ConnectionError):
    """The peer ended the connection where a reply was expected; holds the bytes of an unfinished one."""


class RawClient:
    """One connection to ``127.0.0.1:port``; a read that waits longer than *timeout* seconds fails."""

    def __init__(self, port: int, *, protocol: int = 2, timeout: float = 30.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = bytearray()
        if protocol == 3:
            try:
                reply = self.call("HELLO", 3)
                assert reply.startswith(b"%"), reply
            except BaseException:
                self.close()
                raise

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def pipeline(self, commands: Iterable[Sequence[Word]]) -> None:
        """Send *commands* in one write."""
        self.send(b"".join(request(*command) for command in commands))

    def call(self, *words: Word) -> bytes:
        """Send one command and return its reply."""
        self.send(request(*words))
        return self.read()

    def read(self) -> bytes:
        """Return the bytes of the next reply, attributes before it included.

        Raises:
            Closed: the connection ended first.
            TimeoutError: nothing came.
        """
        end = self._end(0)
        reply = bytes(self._data[:end])
        del self._data[:end]
        return reply

    def read_many(self, count: int) -> list[bytes]:
        return [self.read() for _ in range(count)]

    def read_rest(self) -> bytes:
        """Return everything until the peer ends the connection; a reset ends it too."""
        try:
            while True:
                self._fill()
        except (Closed, ConnectionResetError):
            return bytes(self._data)

    def _fill(self) -> None:
        part = self.socket.recv(262144)
        if not part:
            raise Closed(bytes(self._data[:200]))
        self._data += part

    def _end(self, start: int) -> int:
        """Return where the value that starts at *start* ends."""
        wanted, position = 1, start  # values still to come
        while wanted:
            inside = position > start
            line_end = self._data.find(_CRLF, position)
            while line_end < 0:
                self._fill()
                line_end = self._data.find(_CRLF, position)
            kind, count = bytes(self._data[position : position + 1]), self._data[position + 1 : line_end]
            position = line_end + 2
            wanted -= 1
            if kind in _BULKS and int(count) >= 0:
                position += int(count) + 2
                while len(self._data) < position:
                    self._fill()
            elif kind in _AGGREGATES:
                # Redis 6 and 7.0 put messages into replies: no value of theirs
                follows = kind == b"|" or (kind == b">" and inside)
                wanted += max(0, int(count)) * _AGGREGATES[kind] + follows
            elif kind not in _BULKS and kind not in _LINES:
                raise AssertionError(f"not a reply: {bytes(self._data[line_end - 20 : position + 50])!r}")
        return position

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()


def elements(reply: bytes) -> list[bytes]:
    """Return the raw elements of an aggregate reply in their order; a map's keys and values alternate."""
    pieces = _Pieces(reply)
    kind, count = pieces.header()
    assert kind in _AGGREGATES, reply
    return [pieces.value() for _ in range(max(0, count) * _AGGREGATES[kind])]


def bag(reply: bytes, width: int = 1) -> tuple[bytes, Counter[tuple[bytes, ...]]]:
    """Return what is left of an aggregate when its order is not: its type and its elements with their counts.

    A *width* of 2 keeps pairs together (flat arrays of fields and values). Errors and nulls are themselves.
    """
    if reply[:1] not in _AGGREGATES or reply.startswith(b"*-1"):
        return reply, Counter()
    parts = elements(reply)
    width = max(width, _AGGREGATES[reply[:1]])
    return reply[:1], Counter(tuple(parts[i : i + width]) for i in range(0, len(parts), width))


class _Pieces:
    """Cuts complete values off a complete reply."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def header(self) -> tuple[bytes, int]:
        end = self._data.index(_CRLF, self._position)
        kind, rest = self._data[self._position : self._position + 1], self._data[self._position + 1 : end]
        self._position = end + 2
        return kind, int(rest) if kind not in _LINES else 0

    def value(self) -> bytes:
        start, wanted = self._position, 1
        while wanted:
            kind, count = self.header()
            wanted -= 1
            if kind in _BULKS and count >= 0:
                self._position += count + 2
            elif kind in _AGGREGATES:
                wanted += max(0, count) * _AGGREGATES[kind]
        return self._data[start : self._position]
