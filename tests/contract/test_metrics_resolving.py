"""Names whose look-up hangs hold up neither other names nor what else is done in threads."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from podmates_metrics.resolving import Resolver
from tests.support.waiting import until


def test_look_ups_that_hang_hold_nobody_up_and_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    free, real, hanging = threading.Event(), socket.getaddrinfo, list[str]()

    def look_up(host: str, *args: Any, **more: Any) -> Any:
        if host == "hangs":
            hanging.append(host)
            free.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "later")
        return real(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    async def body() -> None:
        resolver = Resolver()
        waiting = [asyncio.create_task(resolver.resolve("hangs", 80)) for _ in range(63)]
        async with asyncio.timeout(60):
            while len(hanging) < 63:
                await asyncio.sleep(0)
            found = await resolver.resolve("127.0.0.1", 80)
            assert [(one["host"], one["port"], one["hostname"]) for one in found] == [
                ("127.0.0.1", 80, "127.0.0.1")
            ]
            assert await asyncio.to_thread(lambda: True)
            waiting.append(asyncio.create_task(resolver.resolve("hangs", 80)))
            while len(hanging) < 64:
                await asyncio.sleep(0)
            with pytest.raises(OSError, match="too many look-ups"):
                await resolver.resolve("127.0.0.1", 80)
            waiting[0].cancel()
            free.set()
            told = await asyncio.gather(*waiting, return_exceptions=True)
            assert sum(isinstance(error, socket.gaierror) for error in told) == 63

    asyncio.run(body())
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("look-up")], what="the threads")


def test_addresses_of_ipv6_are_found() -> None:
    async def body() -> None:
        found = await Resolver().resolve("::1", 80, socket.AF_UNSPEC)
        assert [(one["host"], one["family"]) for one in found] == [("::1", socket.AF_INET6)]

    asyncio.run(body())


@pytest.mark.parametrize("host", ["a..b", "h" * 64 + ".example"])
def test_what_is_no_name_is_one_that_is_not_found(host: str) -> None:
    async def body() -> None:
        with pytest.raises(OSError, match="no name that can be looked up"):
            await Resolver().resolve(host, 80)

    asyncio.run(body())
