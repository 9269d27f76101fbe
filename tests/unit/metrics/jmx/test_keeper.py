"""A session is kept by itself: tried again while nobody asks, given back to the JVM at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from podmates_metrics.jmx import keeper
from podmates_metrics.jmx.keeper import Keeper, Unreachable
from podmates_metrics.jmx.session import Options, Session
from podmates_metrics.jmx.target import Target, parse_target


def run(body: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await body

    asyncio.run(limited())


class Port:
    """A TCP port on which everybody who connects is heard and nobody is answered."""

    def __init__(self) -> None:
        self.calls = 0
        self.called = asyncio.Condition()
        self.answer = b""

    async def start(self) -> Target:
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return parse_target(f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self.called:
            self.calls += 1
            self.called.notify_all()
        writer.write(self.answer)
        if not self.answer:
            await reader.read()  # until the other side closes
        writer.close()

    async def wait_for_calls(self, number: int) -> None:
        async with self.called:
            await self.called.wait_for(lambda: self.calls >= number)


def test_attempts_go_on_while_nobody_asks() -> None:
    async def body() -> None:
        port = Port()
        port.answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        kept = Keeper(await port.start(), Options(), 50.0)
        with pytest.raises(Unreachable, match="HTTP"):
            await kept.session()
        await port.wait_for_calls(3)
        await kept.close()
        port.server.close()

    run(body())


def test_one_that_is_known_to_be_silent_is_not_waited_for() -> None:
    """The first caller waits for the attempt, the next ones for a moment."""

    async def body() -> None:
        port, loop = Port(), asyncio.get_running_loop()
        kept = Keeper(await port.start(), Options(), 50.0)
        with pytest.raises(Unreachable, match="does not answer within 3 s"):
            await kept.session()
        await port.wait_for_calls(2)
        began = loop.time()
        with pytest.raises(Unreachable, match="does not answer within 3 s"):
            await kept.session()
        assert loop.time() - began < keeper.GRACE + 1
        await kept.close()
        port.server.close()

    run(body())


def test_closing_ends_an_attempt_in_progress() -> None:
    async def body() -> None:
        port, loop = Port(), asyncio.get_running_loop()
        kept = Keeper(await port.start(), Options(), 50.0)
        waiting = asyncio.create_task(kept.session())
        await port.wait_for_calls(1)
        began = loop.time()
        await kept.close()
        assert loop.time() - began < 2
        with pytest.raises(Unreachable):
            await waiting
        port.server.close()

    run(body())


def test_a_fault_of_ours_is_a_reason_and_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        async def broken(target: Target, options: Options) -> None:
            raise LookupError("of ours")

        monkeypatch.setattr(Session, "open", broken)
        kept = Keeper(parse_target("127.0.0.1:1"), Options(), 50.0)
        with pytest.raises(Unreachable, match="internal error: LookupError"):
            await kept.session()
        await kept.close()

    run(body())
