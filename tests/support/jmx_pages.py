"""Scraping a JVM in a test, and its page in a form that compares."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from podmates_metrics.jmx.session import Options
from podmates_metrics.jmx.source import JmxSource
from podmates_metrics.jmx.target import parse_target
from podmates_metrics.sources.base import Family
from tests.support.waiting import pause

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
PATIENCE = 60.0  # seconds; the machine may be busy


def series(families: list[Family]) -> Series:
    """Return what the page would say: (name, labels) → value."""
    return {(f.name + s.suffix, s.labels): s.value for f in families for s in f.samples}


@contextlib.asynccontextmanager
async def source(address: str, *, deadline: float = 30.0, **options: Any) -> AsyncIterator[JmxSource]:
    made = JmxSource(parse_target(address), deadline=deadline, options=Options(**options))
    try:
        yield made
    finally:
        await made.close()


async def collected(made: JmxSource, until: Callable[[Series], bool]) -> Series:
    """Scrape again and again until the page is as wanted."""
    async with asyncio.timeout(PATIENCE):
        while not until(found := series(await made.collect())):
            await asyncio.to_thread(pause, 0.05)
    return found


def scrape(address: str, times: int = 1, **options: Any) -> Series:
    async def run() -> Series:
        async with source(address, **options) as made:
            for _ in range(times - 1):
                await made.collect()
            return series(await made.collect())

    return asyncio.run(run())


def is_up(found: Series) -> bool:
    return any(name == "jmx_up" and value == 1 for (name, _), value in found.items())


def is_down(found: Series) -> bool:
    return not is_up(found)
