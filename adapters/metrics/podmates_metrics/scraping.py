"""The page of a scrape: what sources, senders and we tell at one moment, for a reader in its turn."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager

from podmates_metrics.collector import Own
from podmates_metrics.exposition import text
from podmates_metrics.exposition.negotiation import Choice
from podmates_metrics.exposition.page import page
from podmates_metrics.readers import STALLED, Reader, Readers
from podmates_metrics.sources.base import Family
from podmates_metrics.sources.gather import NOTHING, Answers, Gatherer
from podmates_metrics.statsd.store import StoredFamily

Families = dict[str, Family]  # by name
Found = tuple[list[StoredFamily], Families, Families]  # StatsD's, the sources' and our own
_PIECES = 1 << 16  # bytes rendered before the sockets get a turn


class Scraping:
    """Makes pages.

    Args:
        stored: StatsD's families.
        timeout: seconds that a source may take.
        hidden: names of our own that are not told.
        numbers: writes counters and gauges.
    """

    def __init__(
        self,
        stored: Mapping[str, StoredFamily],
        gatherer: Gatherer,
        own: Own,
        *,
        readers: Readers,
        timeout: float,
        hidden: Callable[[], Collection[str]],
        numbers: text.Numbers,
    ) -> None:
        self._stored, self._gatherer, self._own = stored, gatherer, own
        self._readers, self._timeout, self._hidden, self._numbers = readers, timeout, hidden, numbers
        # The newest of those under way: all that sources had to say, and what a hasty scrape had of it.
        self._whole: Answers | None = None
        self._part = NOTHING
        self._scrapes = 0  # under way

    @asynccontextmanager
    async def scrape(
        self, patience: float | None, choice: Choice
    ) -> AsyncIterator[tuple[AsyncGenerator[bytes, None], Reader]]:
        """Have the page in pieces for a reader that has its turn.

        Raises:
            Crowded: it got none.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + (patience or math.inf)
        self._scrapes += 1
        try:
            self._take(await self._ask(patience))  # one for all who wait for their turn: the newest
            async with self._readers.turn(min(until, clock() + STALLED)) as reader:
                yield self._pieces(self._found(self._whole or self._part), choice), reader
        finally:
            self._scrapes -= 1
            if not self._scrapes:
                self._whole, self._part = None, NOTHING

    def _take(self, answers: Answers) -> None:
        if answers.whole:
            self._whole = answers
        else:
            self._part = answers

    async def look(self, patience: float) -> Found:
        """Return all families of this moment, after at most *patience* seconds."""
        return self._found(await self._ask(patience))

    async def _ask(self, patience: float | None) -> Answers:
        return await self._gatherer.ask(self._timeout, patience)

    def _found(self, answers: Answers) -> Found:
        families = self._gatherer.merged(answers, self._stored)
        own = self._own.families([*families, *self._hidden()])
        return list(self._stored.values()), families, own

    async def _pieces(self, found: Found, choice: Choice) -> AsyncGenerator[bytes, None]:
        """Yield the page; the sockets get their turn while it is made."""
        pieces, size = [], 0
        for piece in page(choice.format, *found, numbers=self._numbers, names=choice.names):
            pieces.append(piece)
            size += len(piece)
            if size > _PIECES:
                yield b"".join(pieces)
                pieces, size = [], 0
            elif not piece:
                await asyncio.sleep(0)
        yield b"".join(pieces)
