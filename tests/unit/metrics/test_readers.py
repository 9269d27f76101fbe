"""So many read a page at a time: who waits gets a turn, and whoever holds it up makes room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from podmates_metrics import readers
from podmates_metrics.readers import Crowded, Reader, Readers

LOST = "podmates_scrapes_lost_total"


async def never() -> None:
    await asyncio.Event().wait()


def soon(seconds: float = 60.0) -> float:
    return asyncio.get_running_loop().time() + seconds


@asynccontextmanager
async def stalled(all: Readers, number: int) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Have so many readers that take nothing; those beyond the limit wait for their turn."""

    async def read() -> None:
        async with all.turn(soon()) as reader:
            with pytest.raises(TimeoutError):
                await reader.take(never())

    tasks = [asyncio.create_task(read()) for _ in range(number)]
    await asyncio.sleep(0)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_who_holds_all_turns_makes_room_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "FAIR", 0.01)

    async def body() -> None:
        all = Readers(2)
        async with stalled(all, 20) as tasks, asyncio.timeout(60), all.turn(soon()):
            assert sum(task.done() for task in tasks) <= 3, "no more than needed, not the whole crowd"
        assert all.totals()[LOST].keys() == {("stalled",)}

    asyncio.run(body())


def test_while_nobody_waits_a_slow_reader_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "FAIR", 0.0)

    async def body() -> None:
        all, over = Readers(2), asyncio.Event()
        async with all.turn(soon()) as slow, all.turn(soon()):
            asyncio.get_running_loop().call_later(0.3, over.set)
            await slow.take(over.wait())  # type: ignore[arg-type]
        assert not all.totals()[LOST]

    asyncio.run(body())


def test_the_slowest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "FAIR", 0.01)

    async def body() -> None:
        all, taken = Readers(2), asyncio.Event()

        async def read() -> None:
            async with all.turn(soon()) as reader:
                await reader.take(taken.wait())  # type: ignore[arg-type]

        slow, quick = asyncio.create_task(read()), asyncio.create_task(read())
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            async with all.turn(soon()):
                assert isinstance(slow.exception(), TimeoutError)
                assert not quick.done()
            taken.set()
            await quick

    asyncio.run(body())


def test_a_reader_by_drops_makes_room_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "FAIR", 0.01)
    monkeypatch.setattr(readers, "_LAG", 0.0)

    async def body() -> None:
        all = Readers(1)

        async def read() -> None:
            loop = asyncio.get_running_loop()
            async with all.turn(soon()) as reader:
                while True:
                    drop = loop.create_future()
                    loop.call_later(0.005, drop.set_result, None)
                    await reader.take(drop)

        slow = asyncio.create_task(read())
        await asyncio.sleep(0)
        async with asyncio.timeout(60), all.turn(soon()):
            assert isinstance(slow.exception(), TimeoutError)

    asyncio.run(body())


def test_who_gets_no_turn_in_time_is_told() -> None:
    async def body() -> None:
        all = Readers(1)
        async with all.turn(soon()):
            with pytest.raises(Crowded):
                async with all.turn(soon(0.01)):
                    pass
        assert all.totals()[LOST] == {("crowded",): 1}
        async with all.turn(soon(0)):
            pass

    asyncio.run(body())


def test_a_turn_that_came_while_its_client_was_ended_is_not_lost() -> None:
    async def body() -> None:
        all = Readers(1)

        async def wait() -> None:
            async with all.turn(soon()):
                pass

        async with all.turn(soon()):
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(10), all.turn(soon()):
            pass

    asyncio.run(body())


def test_who_takes_nothing_at_all_is_given_up_without_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "STALLED", 0.01)

    async def body() -> None:
        with pytest.raises(TimeoutError):
            await Reader().take(never())

    asyncio.run(body())
