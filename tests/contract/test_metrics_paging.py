"""Large pages go out in pieces as they are made, and who does not read them is sent away."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib
from collections.abc import AsyncGenerator, Callable

import pytest
from aiohttp import web

from podmates_common import crowd
from podmates_common.parse import Address
from podmates_metrics import paging, readers

Page = Callable[[], AsyncGenerator[bytes, None]]


async def served(page: Page) -> crowd.Crowd:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await paging.send(request, page(), {"Content-Type": "text/plain"})

    app = web.Application()
    app.router.add_route("*", "/", handle)
    return await crowd.start(app, [Address("127.0.0.1", 0)], ())


async def asked(server: crowd.Crowd, head: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0].port)
    writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode())
    return reader, writer


PIECES = [b"a" * 100_000, b"b" * 100_000, b"c"]
HEADS = ["GET / HTTP/1.1\r\nHost: x", "GET / HTTP/1.0"]


@pytest.mark.parametrize("pieces", [PIECES, PIECES[2:], [b""], []], ids=["three", "one", "empty", "none"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_page_is_whole(pieces: list[bytes], packed: bool) -> None:
    async def page() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    async def body() -> None:
        server = await served(page)
        coding = "\r\nAccept-Encoding: gzip" if packed else ""
        reader, writer = await asked(server, f"GET / HTTP/1.0{coding}")
        head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.0 200")
        assert (gzip.decompress(answer) if packed else answer) == b"".join(pieces)
        reader, other = await asked(server, "HEAD / HTTP/1.1\r\nHost: x")
        assert (await reader.read()).partition(b"\r\n\r\n")[2] == b""
        writer.close()
        other.close()
        await server.stop()

    asyncio.run(body())


@pytest.mark.parametrize("packed", [False, True])
def test_the_beginning_is_on_its_way_before_the_end_is_made(packed: bool) -> None:
    more = asyncio.Event()

    async def page() -> AsyncGenerator[bytes, None]:
        for number in range(50):
            yield bytes([number]) + random.Random(number).randbytes(20_000)  # which packing does not gather
        await more.wait()
        yield b"end"

    async def body() -> None:
        server = await served(page)
        reader, writer = await asked(
            server, "GET / HTTP/1.0\r\nAccept-Encoding: gzip" if packed else HEADS[1]
        )
        async with asyncio.timeout(60):
            await reader.readuntil(b"\r\n\r\n")
            unpack = zlib.decompressobj(31)
            first = b""
            while not first:
                first = await reader.read(2000)
                first = unpack.decompress(first) if packed else first
            assert first.startswith(b"\0")
            assert not more.is_set()
            more.set()
            rest = await reader.read()
        assert (unpack.decompress(rest) if packed else rest).endswith(b"end")
        writer.close()
        await server.stop()

    asyncio.run(body())


def test_who_reads_nothing_is_sent_away_and_no_more_of_the_page_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readers, "STALLED", 0.1)
    made, over = [0], asyncio.Event()

    async def page() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                made[0] += 1
                yield b"x" * (1 << 16)
        finally:
            over.set()

    async def body() -> None:
        server = await served(page)
        _, writer = await asked(server, HEADS[0])
        async with asyncio.timeout(60):
            await over.wait()
        assert made[0] < 1000
        writer.close()
        await server.stop()

    asyncio.run(body())
