"""Where connections read to: one buffer for all of them, since what was read is taken out at once.

A turn of the loop reads a little of each connection, so that one with thousands of requests or replies that
wait holds up nobody, and less of each when many are like that; only the inside of a large value, which costs
little a byte, comes in large pieces.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod

TURN = 4096  # bytes of one connection: some hundred requests, or replies
LEAST = 256  # the same while many connections have so much
ALL = 8 * TURN  # bytes of all of them, roughly
LARGE = 256 * 1024  # bytes


class _Buffer:
    """The buffer, and how much of it one connection may fill in this turn."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(LARGE))
        self.turn = self.view[:TURN]
        self._filled = 0  # times in this turn

    def filled(self) -> None:
        """A connection has, or may have, more than it may fill."""
        if not self._filled:
            asyncio.get_running_loop().call_soon(self._next)  # in the next turn
        self._filled += 1

    def _next(self) -> None:
        size = min(max(ALL // self._filled, LEAST), TURN)
        self._filled = 0
        if size != len(self.turn):
            self.turn = self.view[:size]


_buffer = _Buffer()


class Reading(asyncio.BufferedProtocol):
    """A protocol that gets its bytes by `data_received`, in pieces that fit into one turn of the loop."""

    __slots__ = ()

    @abstractmethod
    def data_received(self, data: bytes) -> None:
        """Take *data*, which has just been read."""

    @abstractmethod
    def missing(self) -> int:
        """Return how many bytes of the value in hand are still to come."""

    def get_buffer(self, sizehint: int) -> memoryview:
        missing = self.missing()
        return _buffer.turn if missing <= TURN else _buffer.view[:missing]

    def buffer_updated(self, nbytes: int) -> None:
        if nbytes == len(_buffer.turn):
            _buffer.filled()
        self.data_received(bytes(_buffer.view[:nbytes]))
