"""What probes share: turns, of which a host has some, and memory for answers, which comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from podmates_metrics.json_exporter.sessions import Unreadable, read
from podmates_metrics.json_exporter.turns import Turns


def test_a_host_has_so_many_turns_and_all_hosts_together_so_many() -> None:
    async def body() -> None:
        turns = Turns()
        async with AsyncExitStack() as held:
            for number in range(128):
                await held.enter_async_context(turns.turn(f"http://host{number // 16}/{number}"))
            for target in ("http://user:word@HOST0/other", "http://host8/"):
                late = held.enter_async_context(turns.turn(target))
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(late, 0.05)
        async with asyncio.timeout(30), turns.turn("http://host0/"), turns.turn("http://host8/"):
            pass

    asyncio.run(body())


def test_answers_in_work_share_their_memory_and_give_it_back() -> None:
    turns = Turns()
    with turns.part() as large, turns.part() as small:
        assert large.take(128 << 20)
        with pytest.raises(Unreadable, match="too many large answers at once"):
            asyncio.run(read(_answer(b"{}"), 10, small))
    with turns.part() as part:
        assert (asyncio.run(read(_answer(b"{}"), 10, part)), part.size) == (b"{}", 2)


def _answer(body: bytes) -> Any:
    async def chunks(_: int) -> AsyncIterator[bytes]:
        yield body

    return SimpleNamespace(headers={}, content=SimpleNamespace(iter_chunked=chunks))
