"""A caller who went in the middle of a body leaves nothing behind that only a later collection would find."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

from aiohttp import web

from podmates_common import crowd
from podmates_common.parse import Address
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.push.receiver import Receiver, Target
from tests.support.push_requests import push

SECRET = "correct horse"


class _Told:
    """The secret and the log of the only repository."""

    def __init__(self) -> None:
        self.results = asyncio.Queue[object]()

    def current(self) -> list[bytes]:
        return [SECRET.encode()]

    def info(self, *_: object, **pairs: object) -> None:
        self.results.put_nowait(pairs["result"])


async def _callers_come_and_go(number: int) -> None:
    told: Any = _Told()
    app = web.Application()
    Receiver("/push", [Target("", "main", "auto", told, cast(Any, None), Metrics(), told)]).add_to(app)
    listening = await crowd.start(app, [Address("127.0.0.1", 0)], ())
    lines = "".join(f"{name}: {value}\r\n" for name, value in push("github", SECRET).headers.items())
    for _ in range(number):
        _, writer = await asyncio.open_connection("127.0.0.1", listening.addresses[0].port)
        writer.write(f"POST /push HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: 9000\r\n\r\n[".encode())
        await writer.drain()
        writer.close()
    async with asyncio.timeout(60):
        assert {await told.results.get() for _ in range(number)} == {"incomplete"}
    await listening.stop()


def test_a_caller_who_went_is_forgotten_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        asyncio.run(_callers_come_and_go(20))
        left = [each for each in gc.get_objects() if isinstance(each, web.Request)]
    finally:
        gc.enable()
    assert left == []
