"""Names that come to stand for other addresses, for none, or for nothing at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from podmates_common.parse import Address
from podmates_redis.servers.dialing import Dialer
from podmates_redis.servers.names import Names
from podmates_redis.servers.resolved import Resolved
from podmates_redis.servers.roll import Manner, Roll

NAME, OTHER = ("redis", 1), ("reader", 1)
A, B, C = ("10.0.0.1", 1), ("10.0.0.2", 1), ("10.0.0.3", 1)


def test_the_last_answer_counts_and_no_answer_keeps_it_for_a_while() -> None:
    resolved = Resolved(stale=60.0)
    assert resolved.places(0.0) == {}
    resolved.take(NAME, {A: "redis", B: "redis"}.items(), 0.0)
    resolved.take(NAME, {B: "redis", C: "redis"}.items(), 10.0)
    assert list(resolved.places(10.0)) == [B, C]
    resolved.take(NAME, {}.items(), 20.0)
    assert list(resolved.places(70.0)) == [B, C]
    assert list(resolved.places(70.1)) == []


def test_each_name_counts_and_names_what_it_led_to() -> None:
    resolved = Resolved(stale=60.0)
    resolved.take(NAME, {A: "redis"}.items(), 0.0)
    resolved.take(OTHER, {A: "reader", B: "reader"}.items(), 0.0)
    assert resolved.places(1.0) == {A: "redis", B: "reader"}


def test_a_name_does_not_stand_for_thousands() -> None:
    resolved = Resolved(stale=60.0)
    resolved.take(NAME, {(f"10.0.{n // 256}.{n % 256}", 1): "redis" for n in range(10_000)}.items(), 0.0)
    assert len(resolved.places(0.0)) < 200


@pytest.mark.parametrize(
    ("current", "leading", "kept"),
    [(None, [], [A, B]), (A, [A], [A, B]), (C, [C], [A, B, C]), (C, [], [A, B, C]), (C, [C, B], [A, B])],
    ids=["no master", "listed", "not listed", "not listed and silent", "not listed, and another leads"],
)
def test_a_master_whose_name_is_gone_stays_until_another_leads(
    current: tuple[str, int] | None, leading: list[tuple[str, int]], kept: list[tuple[str, int]]
) -> None:
    resolved = Resolved(stale=60.0)
    resolved.take(NAME, {A: "redis", B: "redis"}.items(), 0.0)
    assert resolved.kept(current, leading, 0.0) == kept


def test_replicas_that_a_master_names_are_asked_and_forgotten_a_minute_after_the_last_time() -> None:
    roll = Roll(Manner(learn_replicas=True))
    assert roll.give([A]) == [A]
    assert roll.learn([B, A], 0.0) == [A, B]
    assert roll.learn([B], 30.0) is None
    assert roll.learn([], 89.0) is not None  # A is forgotten as one that was learnt
    assert roll.give([A]) == [A, B]
    assert roll.learn([], 90.0) == [A]
    assert Roll(Manner()).learn([B], 0.0) is None
    roll.learn([B], 91.0)
    roll._manner.learn_replicas = False  # by a reload
    assert roll.learn([B], 92.0) == [A]
    assert roll.give([A]) == [A]
    assert roll.learn([B], 93.0) is None


class World:
    """Keeps what it is told to watch, and is in trouble whenever the test says so."""

    def __init__(self) -> None:
        self.watched: list[Address] = []
        self.told = asyncio.Event()
        self.trouble = asyncio.Event()

    def watch(self, addresses: Iterable[Address], *, gently: bool = False) -> None:
        assert gently
        self.watched = list(addresses)
        self.told.set()

    def master(self) -> Address | None:
        return None

    def leading(self) -> list[Address]:
        return []

    async def troubled(self) -> None:
        await self.trouble.wait()


def test_trouble_makes_names_be_resolved_again_and_faults_of_the_resolver_end_nothing() -> None:
    answers: list[list[Address] | Exception] = [
        [Address(*A)],
        OSError("no such name"),
        UnicodeError("no name at all"),
        [Address(*B)],
    ]

    async def resolve(name: Address) -> dict[Address, str]:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return dict.fromkeys(answer, name.host)

    async def body() -> None:
        world, dialer = World(), Dialer()
        world.trouble.set()
        task = asyncio.create_task(Names([Address(*NAME)], 60.0, dialer, resolve).follow(world))
        seen: list[list[Address]] = []
        async with asyncio.timeout(30):
            while not seen or seen[-1] != [B]:
                await world.told.wait()
                world.told.clear()
                seen.append(world.watched)
        task.cancel()
        assert seen == [[A], [A], [A], [B]]
        assert dialer.names["10.0.0.2:1"] == "redis"

    asyncio.run(body())
