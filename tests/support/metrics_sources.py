"""Sources of the metrics adapter in the test's own process, and servers that answer as they are told."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from podmates_metrics.documents import parse
from podmates_metrics.exposition.text import given
from podmates_metrics.native.file import decode
from podmates_metrics.native.policy import Policy
from podmates_metrics.presets.load import preset
from podmates_metrics.sources.base import Source
from podmates_metrics.sources.log import LogSource
from podmates_metrics.sources.pulled import Pulled, pulled


def source(text: str) -> Pulled:
    """Return the first source of a native file."""
    tree = parse(text)
    assert tree is not None
    native = decode(tree, preset)
    return pulled(native.pulls[0], Policy().ruleset(native.rules, native.pulls[0].name))


def log_source(text: str) -> LogSource:
    """Return the first log of a native file."""
    tree = parse(text)
    assert tree is not None
    native = decode(tree, preset)
    return LogSource(native.logs[0], Policy().ruleset(native.rules, native.logs[0].name))


async def scraped(asked: Source) -> list[str]:
    """Return the series that *asked* gives now, as lines."""
    text = "".join(given(family) for family in await asked.collect())
    return [line for line in text.splitlines() if not line.startswith("#")]


async def count(asked: Source) -> float:
    """Return the value of the first series that *asked* gives now; 0 for none."""
    series = await scraped(asked)
    return float(series[0].split()[-1]) if series else 0.0


def write(path: Path, text: str) -> None:
    """Write *text* at the end of a log."""
    with path.open("a") as file:
        file.write(text)


def scrape(text: str) -> tuple[list[str], str]:
    """Return the series of the first source of a native file, and its problem."""

    async def body() -> tuple[list[str], str]:
        asked = source(text)
        try:
            return await scraped(asked), asked.problem
        finally:
            await asked.close()

    return asyncio.run(body())


Talk = Callable[[socket.socket], None]


@contextmanager
def serving(talk: Talk, path: Path | None = None) -> Iterator[int]:
    """Serve connections one by one with *talk*; yield the TCP port, 0 for a unix socket at *path*."""
    if path is None:
        server = socket.create_server(("127.0.0.1", 0))
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.listen()

    def body() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                talk(connection)

    thread = threading.Thread(target=body)
    thread.start()
    try:
        yield 0 if path else server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(30)
