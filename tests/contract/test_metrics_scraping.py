"""Scrapes of the running web port: each ends with its client, and none waits or answers for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from podmates_common import crowd
from podmates_common.admin import About
from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_metrics import scraping
from podmates_metrics.admission import Answering
from podmates_metrics.collector import Own
from podmates_metrics.exposition import text
from podmates_metrics.exposition.negotiation import choose
from podmates_metrics.readers import Crowded, Readers
from podmates_metrics.scraping import Scraping
from podmates_metrics.sources.base import Family, Sample
from podmates_metrics.sources.gather import Gatherer
from podmates_metrics.web import HEALTHY, Pages, application

CHOICE = choose("", openmetrics=False)
ASKED = "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Prometheus-Scrape-Timeout-Seconds: 3000\r\n\r\n"


class Slow:
    """A source that answers when it is let go."""

    name, problem = "slow", ""

    def __init__(self) -> None:
        self.free = asyncio.Event()

    async def collect(self) -> list[Family]:
        await self.free.wait()
        return [Family("things", "gauge", "", [Sample((), 1.0)])]

    async def close(self) -> None:
        self.free.set()


def scrapes(readers: Readers, gatherer: Gatherer | None = None) -> Scraping:
    return Scraping(
        {},
        gatherer or Gatherer([], Health(), critical=False),
        Own([]),
        readers=readers,
        timeout=5,
        hidden=list,
        numbers=text.numbers,
    )


@web.middleware
async def everybody(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request)


@asynccontextmanager
async def served(subject: Scraping) -> AsyncIterator[tuple[int, Answering]]:
    """Have a web port with these pages: its number, and who waits for an answer there."""
    pages = Pages(
        health=Health(),
        about=About("adapter", "1", {}),
        telemetry="/metrics",
        scrape=subject.scrape,
        openmetrics=lambda: False,
        utf8=lambda: False,
        healthy=HEALTHY,
        reload=None,
        quit=None,
        trials=False,
        guard=everybody,
        ready=str,
    )
    app, answering = application(pages), Answering()
    app.middlewares.append(answering.keep)
    server = await crowd.start(app, [Address("127.0.0.1", 0)], answering, most=answering.most)
    try:
        yield server.addresses[0].port, answering
    finally:
        await server.stop()


async def soon(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


def test_a_scrape_that_waits_ends_with_its_client_and_gives_all_back() -> None:
    async def body() -> None:
        readers = Readers(1)
        async with served(scrapes(readers)) as (port, answering):
            async with readers.turn(0):
                writers = []
                for _ in range(3):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(ASKED.encode())
                    writers.append(writer)
                await soon(lambda: len(answering) == 3)
                for writer in writers:
                    writer.close()
                await soon(lambda: not len(answering))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASKED.encode())
            async with asyncio.timeout(60):
                assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()

    asyncio.run(body())


def test_nobody_waits_for_a_turn_as_long_as_it_says_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scraping, "STALLED", 0.01)

    async def body() -> None:
        readers = Readers(1)
        async with asyncio.timeout(60), readers.turn(0):
            with pytest.raises(Crowded):
                async with scrapes(readers).scrape(3000.0, CHOICE):
                    pass

    asyncio.run(body())


def test_a_hasty_scrape_has_what_there_is_and_takes_nothing_from_a_patient_one() -> None:
    async def body() -> None:
        readers, health, slow = Readers(1), Health(), Slow()
        subject = scrapes(readers, Gatherer([slow], health, critical=True))

        async def page(patience: float) -> bytes:
            async with subject.scrape(patience, CHOICE) as (pieces, _):
                return b"".join([piece async for piece in pieces])

        slow.free.set()
        async with asyncio.timeout(60), readers.turn(0):
            patient = asyncio.create_task(page(50.0))
            await soon(lambda: health.problems() == {"slow": ""})
            await soon(lambda: len(asyncio.all_tasks()) == 2)
            slow.free.clear()
            with pytest.raises(Crowded):
                await page(0.001)
        assert b"things 1" in await patient
        assert b"things" not in await page(0.001)
        assert health.problems() == {"slow": ""}
        slow.free.set()

    asyncio.run(body())
