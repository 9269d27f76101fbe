"""What plain clients share is made by the settings that count now, and what stands serves until then."""

from __future__ import annotations

import asyncio
from typing import Any

from podmates_common.parse import Address
from podmates_redis.clients.groups import Groups
from podmates_redis.servers.upstream import Refused

MASTER = Address("127.0.0.1", 1)


class Engine:
    """Keeps what it is given."""

    memory = 0

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], int] = {}
        self.given_up = 0

    def open_group(self, database: int) -> int:
        return database

    def attached(self, group: int, place: int) -> bool:
        return (group, place) in self.held

    def attach(self, group: int, place: int, descriptor: int) -> None:
        self.held[group, place] = descriptor

    def give_up(self, *_: object) -> None:
        self.given_up += 1


class Upstream:
    """A connection made in a certain way; a negative one cannot be taken."""

    alive, history = True, ""

    def __init__(self, way: int) -> None:
        self.way, self.closed = way, False

    def take(self, bridge: object) -> int:
        if self.way < 0:
            raise OSError("no thread left")
        return self.way

    def close(self) -> None:
        self.closed = True


class World:
    """One master, which takes connections when it is told to; in way 0 it cannot be reached."""

    def __init__(self) -> None:
        self.way, self.made = 1, list[Upstream]()
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    def master(self) -> Address:
        return MASTER

    def known(self) -> bool:
        return True

    def serving(self) -> bool:
        return True

    def hopeless(self) -> bool:
        return False

    def suspect(self) -> None: ...

    async def open_master(self, *_: object) -> Upstream:
        way = self.way
        self.asked.set()
        await self.answer.wait()
        if not way:
            raise Refused("certificate verify failed")
        self.made.append(Upstream(way))
        return self.made[-1]


class Limits:
    master_wait = startup_wait = 0.01


async def settled(groups: Groups) -> None:
    """Wait until nothing is being made."""
    async with asyncio.timeout(60):
        while tasks := [task for group in groups for task in group.tasks.values()]:
            await asyncio.wait(tasks)


def made(world: World, faults: list[Exception]) -> tuple[Groups, Engine]:
    engine: Any = Engine()
    return Groups(engine, world, Limits(), faults.append), engine  # type: ignore[arg-type]


def test_a_connection_that_was_being_made_in_the_old_way_is_made_again() -> None:
    async def test() -> None:
        world = World()
        groups, engine = made(world, [])
        groups.group(2, 0)
        await world.asked.wait()
        world.way = 2
        groups.renew()
        world.answer.set()
        await settled(groups)
        assert engine.held == {(0, 0): 2}
        assert [upstream.closed for upstream in world.made] == [True, False]
        groups.stop()

    asyncio.run(test())


def test_who_is_served_goes_on_to_be_when_a_new_way_leads_nowhere() -> None:
    async def test() -> None:
        world = World()
        groups, engine = made(world, [])
        world.answer.set()
        group = groups.group(2, 0)
        assert group is not None
        await settled(groups)
        world.way = 0
        groups.renew()
        async with asyncio.timeout(60):
            while not engine.given_up:
                await asyncio.sleep(0)
        assert engine.attached(0, 0)
        assert not group.hopeless
        groups.stop()

    asyncio.run(test())


def test_who_waits_for_what_cannot_be_taken_is_told_in_time() -> None:
    async def test() -> None:
        world, faults = World(), list[Exception]()
        world.way = -1
        groups, engine = made(world, faults)
        world.answer.set()
        groups.group(2, 0)
        async with asyncio.timeout(60):
            while not engine.given_up:
                await asyncio.sleep(0)
        assert not faults
        assert len(world.made) < 5
        groups.stop()

    asyncio.run(test())
