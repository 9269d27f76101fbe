"""A link that damages what the JVM says: every scrape still ends in a page, in time, with a reason."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

import pytest

from tests.support.jmx_pages import is_up, series, source
from tests.support.jvm import Jvm

SCRAPES = 25  # of each kind of damage, at least
MOST = 20 * SCRAPES  # until one is spoilt: few bytes matter to the reader of a page
ADDRESS = "127.0.0.2"


class DamagingLink:
    """Forwards to a server and damages, from time to time, a byte of what comes back.

    It has the port of the server on another loopback address, by which the server names itself.
    """

    def __init__(self, port: int, seed: int, share: float) -> None:
        self._port, self._random, self.share = port, random.Random(seed), share
        self._server: asyncio.Server | None = None
        self._copies: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, ADDRESS, self._port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except (OSError, asyncio.CancelledError):  # the test is over
            return writer.close()
        for task in (
            asyncio.create_task(self._copy(reader, upstream_writer, damage=False)),
            asyncio.create_task(self._copy(upstream_reader, writer, damage=True)),
        ):
            self._copies.add(task)
            task.add_done_callback(self._copies.discard)
        return None

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, damage: bool
    ) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while data := await reader.read(4096):
                if damage and self._random.random() < self.share:
                    spoilt = bytearray(data)
                    spoilt[self._random.randrange(len(spoilt))] = self._random.choice(TELLING)
                    data = bytes(spoilt)
                writer.write(data)
                await writer.drain()

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in self._copies:
            task.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)


TELLING = [*range(0x70, 0x7F), 0x00, 0x01, 0x02, 0x7F, 0x80, 0xFF, *b"LIJZ[;"]


@pytest.mark.parametrize("share", [0.03, 0.3])
def test_damaged_replies_never_end_in_an_exception(share: float) -> None:
    async def run(port: int) -> None:
        link = DamagingLink(port, seed=8, share=share)
        await link.start()
        try:
            async with source(f"{ADDRESS}:{port}", deadline=5.0) as made:
                spoilt = 0
                for scrape in range(1, MOST + 1):
                    began = time.monotonic()
                    found = series(await made.collect())
                    assert is_up(found) == (not made.problem)
                    spoilt += bool(made.problem)
                    assert time.monotonic() - began < 30
                    if spoilt and scrape >= SCRAPES:
                        break
                assert spoilt
        finally:
            await link.stop()

    with Jvm("Awkward", properties={"java.rmi.server.hostname": ADDRESS}) as jvm:
        asyncio.run(run(jvm.port))
