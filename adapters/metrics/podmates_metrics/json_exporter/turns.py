"""When a probe has its turn, and what memory its answer may have: none takes all of either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

_AT_ONCE = 128  # probes
_EACH = 16  # of these, for one host and port: it may hang
_ROOM = 128 << 20  # bytes of all answers that are in work


class Part:
    """The memory that one answer has."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.size = 0

    def take(self, size: int) -> bool:
        """Have so many bytes more, if they are left."""
        if size > self._turns.room:
            return False
        self.size += size
        self._turns.room -= size
        return True


class Turns:
    """What all probes share."""

    def __init__(self) -> None:
        self.room = _ROOM
        self._all = asyncio.Semaphore(_AT_ONCE)
        self._hosts: dict[str, tuple[asyncio.Semaphore, set[object]]] = {}

    @asynccontextmanager
    async def turn(self, target: str) -> AsyncIterator[None]:
        """Wait until *target* may be asked."""
        host, me = _host(target), object()
        turns, waiting = self._hosts.setdefault(host, (asyncio.Semaphore(_EACH), set()))
        waiting.add(me)
        try:
            async with turns, self._all:
                yield
        finally:
            waiting.discard(me)
            if not waiting:
                del self._hosts[host]

    @contextmanager
    def part(self) -> Iterator[Part]:
        """Lend memory for an answer, and what is made of it."""
        part = Part(self)
        try:
            yield part
        finally:
            self.room += part.size


def _host(target: str) -> str:
    try:
        return urlsplit(target).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
