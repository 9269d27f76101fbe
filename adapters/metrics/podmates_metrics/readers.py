"""Who reads a page: so many at a time, and nobody is waited for without end.

A page that is being read holds what it is made of. So only some are made at a time; the rest wait for their
turn and hold nothing meanwhile. While somebody waits, those who let us wait longest make room: whoever reads
at a fair pace keeps its turn. The newest has the next one, as the one whose client is surely still there: a
crowd that came before keeps nobody out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from podmates_metrics.statsd.engine import Totals

STALLED = 15.0  # seconds in which a client has to take a piece
AT_ONCE = 8  # pages
FAIR = 1.0  # seconds that a reader may let others wait in all, while some do
_LAG = 0.1  # seconds for a piece that may be ours: others have their turn of the loop


class Crowded(Exception):
    """Nobody made room in time."""


class Reader:
    """One client with its page.

    Args:
        changed: is called when it begins to let us wait.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._waited = 0.0  # seconds
        self._since = 0.0
        self._limit: asyncio.Timeout | None = None
        self.stalled = False  # it took too long once

    async def take(self, writing: Awaitable[None]) -> None:
        """Wait until the client has taken a piece.

        Raises:
            TimeoutError: it takes too long.
        """
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(STALLED) as self._limit:
                self._since = clock()
                self._changed()
                await writing
        except TimeoutError:
            self.stalled = True
            raise
        finally:
            self._waited += max(clock() - self._since - _LAG, 0.0)
            self._limit = None

    @property
    def slowness(self) -> float:
        """How long it has let us wait, less the time of day: of two readers the slower one has more."""
        return self._waited - self._since if self._limit is not None else float("-inf")

    def hurry(self) -> None:
        """Give it no more time than is fair."""
        limit, fair = self._limit, self._since + max(FAIR - self._waited, 0.0) + _LAG
        if limit is not None and not limit.expired() and fair < (limit.when() or 0.0):
            limit.reschedule(fair)


class Readers:
    """All who want a page."""

    def __init__(self, most: int = AT_ONCE) -> None:
        self._free = most
        self._here: set[Reader] = set()
        self._waiting: list[asyncio.Future[None]] = []  # the newest last
        self._lost: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, until: float) -> AsyncIterator[Reader]:
        """Have a turn: wait for it at most until that time of the loop.

        Raises:
            Crowded: nobody made room.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(until)
        reader = Reader(self._press)
        self._here.add(reader)
        try:
            yield reader
        finally:
            self._lost["stalled"] += reader.stalled
            self._here.discard(reader)
            self._next()

    async def _wait(self, until: float) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._press()
        try:
            async with asyncio.timeout_at(until):
                await mine
        except BaseException as error:
            if mine in self._waiting:
                self._waiting.remove(mine)
            elif not mine.cancelled():  # it had its turn at the same time
                self._next()
            if isinstance(error, TimeoutError):
                self._lost["crowded"] += 1
                raise Crowded from None
            raise

    def _next(self) -> None:
        while self._waiting:
            mine = self._waiting.pop()
            if not mine.done():
                mine.set_result(None)
                return
        self._free += 1

    def _press(self) -> None:
        """Have as many make room as there are who wait."""
        if self._waiting:
            slow = sorted(self._here, key=lambda reader: reader.slowness, reverse=True)
            for reader in slow[: len(self._waiting)]:
                reader.hurry()

    def totals(self) -> Totals:
        """Return the values of the self metric about readers."""
        return {"podmates_scrapes_lost_total": {(reason,): n for reason, n in self._lost.items() if n}}
