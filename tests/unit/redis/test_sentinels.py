"""What the sentinels come to together, and when: not before each was heard, and at once after an event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.servers import sentinels
from podmates_redis.servers.asking import Asker, Unanswered
from podmates_redis.servers.election import Claim
from podmates_redis.servers.sentinels import Sentinels

PLACES = [Address("s1", 1), Address("s2", 1), Address("s3", 1)]
GOOD, BAD = Address("good", 1), Address("bad", 1)


class Speaker:
    """Stands for the asker of one sentinel: names *master* once it is *free*; None: does not answer."""

    def __init__(self, number: int, master: Address | None, epoch: int = 1) -> None:
        self.number, self.master, self.epoch = number, master, epoch
        self.free, self.asked = asyncio.Event(), 0
        self.heard: Callable[[str, str], None] | None = None

    async def ask_each(self, *questions: tuple[str, ...]) -> list[Any]:
        await self.free.wait()
        self.asked += 1
        if self.master is None:
            raise Unanswered("no answer")
        place = [self.master.host.encode(), b"%d" % self.master.port]
        facts = [b"config-epoch", b"%d" % self.epoch, b"flags", b"master"]
        others = [
            [b"ip", b"s%d" % n, b"port", b"1", b"runid", b"%d" % n, b"flags", b"sentinel"]
            for n in (1, 2, 3)
            if n != self.number
        ]
        return [place, facts, [], others, b"%d" % self.number]

    async def hear(self, channels: Iterable[str], heard: Callable[[str, str], None]) -> None:
        self.heard = heard
        await asyncio.Event().wait()

    def close(self) -> None:
        pass


class World:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.claims: list[Claim | None] = []
        self.health = Health()
        self.resigned: list[str] = []
        self.told, self.trouble = asyncio.Event(), asyncio.Event()

    def watch(self, addresses: Iterable[Address]) -> None: ...

    def watched(self) -> list[Address]:
        return []

    def master(self) -> Address | None:
        return None

    def claimed(self, claim: Claim | None) -> None:
        self.claims.append(claim)
        self.told.set()

    def away(self) -> bool:
        return False

    def suspect(self) -> None: ...

    def resign(self, successor: str) -> None:
        self.resigned.append(successor)

    def reinstate(self) -> None:
        self.resigned.append("")

    async def troubled(self) -> None:
        await self.trouble.wait()
        self.trouble.clear()

    async def next(self) -> Claim | None:
        await self.told.wait()
        self.told.clear()
        return self.claims[-1]


async def following(
    speakers: list[Speaker], test: Callable[[World], Any], names: Iterable[Address] = PLACES
) -> None:
    found = {str(place): speaker for place, speaker in zip(PLACES, speakers, strict=True)}
    world = World()
    all_of_them = Sentinels(list(names), "mine", lambda at: cast(Asker, found[str(at)]), health=world.health)
    task = asyncio.create_task(all_of_them.follow(world))
    try:
        async with asyncio.timeout(30):
            await test(world)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_first_to_answer_is_not_believed_alone_at_the_start() -> None:
    async def body() -> None:
        speakers = [Speaker(1, BAD, epoch=9), Speaker(2, GOOD), Speaker(3, GOOD)]

        async def test(world: World) -> None:
            speakers[0].free.set()
            await turns()
            assert speakers[0].asked == 1
            assert not world.claims
            speakers[1].free.set()
            await turns()
            assert not world.claims
            speakers[2].free.set()
            assert await world.next() == Claim("good:1", "bad:1")

        await following(speakers, test)

    asyncio.run(body())


def test_one_that_does_not_answer_holds_nobody_up() -> None:
    async def body() -> None:
        speakers = [Speaker(1, GOOD), Speaker(2, None), Speaker(3, None)]

        async def test(world: World) -> None:
            for speaker in speakers[1:]:
                speaker.free.set()
            await turns()
            assert "none answers (s1:1: not asked yet; s2:1: no answer" in world.health.report("ready")[1]
            speakers[0].free.set()
            assert await world.next() == Claim("", "good:1")
            told = "sentinels: 1 of 3 answer (s2:1: no answer; s3:1: no answer) (does not count)"
            assert told in world.health.report("ready")[1]

        await following(speakers, test)

    asyncio.run(body())


def test_an_event_has_all_of_them_asked_and_names_who_is_to_be_promoted() -> None:
    async def body() -> None:
        speakers = [Speaker(number, GOOD) for number in (1, 2, 3)]

        async def test(world: World) -> None:
            for speaker in speakers:
                speaker.free.set()
            while len(world.claims) < 3:
                await world.next()
            before = [speaker.asked for speaker in speakers]
            heard = speakers[1].heard
            assert heard is not None
            heard("+selected-slave", "slave 10.0.0.7:1 10.0.0.7 1 @ other 10.0.0.8 1")
            assert not world.resigned
            heard("+selected-slave", "slave 10.0.0.7:1 10.0.0.7 1 @ mine 10.0.0.8 1")
            assert world.resigned == ["10.0.0.7:1"]
            while [speaker.asked for speaker in speakers] == before:
                await world.next()
            assert world.claims[-1] == Claim("good:1", "10.0.0.7:1")
            heard("-failover-abort-slave-timeout", "master mine 10.0.0.8 1")
            assert world.resigned[-1] == ""

        await following(speakers, test)

    asyncio.run(body())


def test_whether_they_agree_is_told_and_trouble_has_all_of_them_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sentinels, "_CALM", 9999.0)  # else they are asked soon in any case

    async def body() -> None:
        speakers = [Speaker(1, BAD, epoch=9), Speaker(2, GOOD, epoch=2), Speaker(3, Address("third", 1))]

        async def test(world: World) -> None:
            for speaker in speakers:
                speaker.free.set()
            await turns()
            assert "sentinels: no master is named by most of them" in world.health.report("ready")[1]
            speakers[0].master = GOOD
            before = [speaker.asked for speaker in speakers]
            world.trouble.set()
            while any(speaker.asked == asked for speaker, asked in zip(speakers, before, strict=True)):
                await world.next()
            assert world.claims[-1] == Claim("good:1", "good:1")
            assert "sentinels: ok" in world.health.report("ready")[1]

        await following(speakers, test)

    asyncio.run(body())
