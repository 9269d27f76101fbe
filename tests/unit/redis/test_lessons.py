"""What a master is, is learnt however long it is silent at first, and of the master of the moment alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

import pytest

from podmates_common.parse import Address
from podmates_redis.marks import Follower
from podmates_redis.servers import lessons
from podmates_redis.servers.asking import Asker, Refusal, Unanswered
from podmates_redis.servers.election import Seen
from podmates_redis.servers.lessons import Lessons
from podmates_redis.servers.probing import Node
from podmates_redis.session.shared import Policy, Shared

QUESTIONS = {"commands", "greeting", "line", "databases"}


class Speaker:
    """Stands for an asker: raises *problems* first, each once to each question, then says its *version*."""

    def __init__(self, version: str, *problems: Exception) -> None:
        self.version, self._problems = version, problems
        self.asked, self.free = Counter[str](), asyncio.Event()
        self.free.set()

    async def _heard(self, question: str) -> None:
        await self.free.wait()
        self.asked[question] += 1
        if self.asked[question] <= len(self._problems):
            raise self._problems[self.asked[question] - 1]

    async def commands(self) -> Any:
        await self._heard("commands")
        return [[b"get", 2, [b"readonly"], 1, 1, 1]]

    async def greeting(self) -> Any:
        await self._heard("greeting")
        return [b"server", b"redis", b"version", self.version.encode()]

    async def line(self) -> bytes:
        await self._heard("line")
        return b"id=1 addr=127.0.0.1:1 fd=8 name= db=0"

    async def databases(self) -> int:
        await self._heard("databases")
        return 7


def node(speaker: Speaker) -> Node:
    seen = Seen("s:1", answered=True)
    return Node(Address("s", 1), cast(Asker, speaker), Follower("s:1"), seen)


def version(shared: Shared) -> bytes:
    return bytes(cast("list[bytes]", shared.greeting)[3]) if shared.greeting else b""


async def turns() -> None:
    """Let every task that can go on do so."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "_FIRST", 0.0)


def test_what_a_master_was_silent_about_is_asked_again() -> None:
    async def body() -> None:
        shared, speaker = (
            Shared(policy=Policy(), learnt=False),
            Speaker("6.2.0", *[Unanswered("no answer")] * 3),
        )
        taught, builtin = Lessons(shared), shared.original
        taught.begin(node(speaker))
        await taught.taught()
        assert shared.learnt  # clients do not wait for ever
        await turns()
        assert version(shared) == b"6.2.0"
        assert shared.master_databases == 7
        assert shared.original is not builtin
        assert speaker.asked == dict.fromkeys(QUESTIONS, 4)

    asyncio.run(body())


def test_what_a_master_refuses_is_not_asked_again() -> None:
    async def body() -> None:
        shared, speaker = Shared(policy=Policy(), learnt=False), Speaker("6.2.0", Refusal("NOPERM"))
        Lessons(shared).begin(node(speaker))
        await turns()
        assert shared.learnt
        assert speaker.asked == dict.fromkeys(QUESTIONS, 1)

    asyncio.run(body())


def test_one_that_is_the_master_no_more_teaches_nothing() -> None:
    async def body() -> None:
        shared, old, new = Shared(policy=Policy(), learnt=False), Speaker("6.2.0"), Speaker("7.0.0")
        taught = Lessons(shared)
        old.free.clear()
        taught.begin(node(old))
        taught.begin(node(new))
        await turns()
        old.free.set()
        await turns()
        assert version(shared) == b"7.0.0"

    asyncio.run(body())
