"""Who leaves before the answer is no fault of the application's; whatever else is, stays one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from podmates_common import crowd
from podmates_common.parse import Address

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def asked(handle: Handler, leave: asyncio.Event) -> bytes:
    """Return what one client got, who goes when it is told to, or when it has been answered."""
    over = asyncio.Event()

    async def watched(request: web.Request) -> web.StreamResponse:
        try:
            return await handle(request)
        finally:
            over.set()

    app = web.Application()
    app.router.add_get("/", watched)
    server = await crowd.start(app, [Address("127.0.0.1", 0)], ())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0].port)
    writer.write(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(60):
        going, reading = asyncio.ensure_future(leave.wait()), asyncio.ensure_future(reader.read())
        await asyncio.wait([going, reading], return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        await over.wait()
        answer = await reading
    going.cancel()
    await server.stop()
    return answer


async def gone(request: web.Request, leave: asyncio.Event) -> None:
    leave.set()
    while request.transport is not None:
        await asyncio.sleep(0)


@pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "in its middle"])
def test_who_leaves_is_no_fault(caplog: pytest.LogCaptureFixture, begun: bool) -> None:
    async def body() -> None:
        leave = asyncio.Event()

        async def handle(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            if begun:
                await response.prepare(request)
                await response.write(b"x")
            await gone(request, leave)
            if not begun:
                await response.prepare(request)
            await response.write(b"y")
            raise AssertionError("nobody is there to write to")

        await asked(handle, leave)

    asyncio.run(body())
    assert not caplog.records


def test_a_lost_connection_to_another_is_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        raise ConnectionResetError

    async def body() -> None:
        assert (await asked(handle, asyncio.Event())).startswith(b"HTTP/1.0 500 ")

    asyncio.run(body())
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ConnectionResetError]
