"""Whatever an answer is or raises, the asking goes on, and silence is not vouched for."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.servers.asking import Asker, Unanswered
from podmates_redis.servers.probing import HURRIED, Probing
from podmates_redis.servers.reporting import Report
from podmates_redis.servers.succession import NEWCOMER
from podmates_redis.servers.topology import Topology
from podmates_redis.session.shared import Policy, Shared

ADDRESS = Address("127.0.0.1", 1)
MASTER = {"role": "master", "master_replid": "a" * 40, "master_repl_offset": "7"}


class Answers:
    """Stands for an asker: gives *answers* in turn, the last one for ever; an exception is raised."""

    def __init__(self, *answers: dict[str, str] | Exception) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def replication(self) -> dict[str, str]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def greeting(self) -> object:
        return []

    async def line(self) -> bytes:
        return b""

    async def commands(self) -> object:
        return [[b"odd"]]

    def close(self) -> None:
        pass


ODD = {
    "a fault of ours": AttributeError("'NoneType' object has no attribute '_add_writer'"),
    "an empty answer": {},
    "an offset that is none": {**MASTER, "master_repl_offset": "x"},
    "a role of another kind": {"role": "sentinel"},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_the_asking_goes_on_after(odd: dict[str, str] | Exception) -> None:
    async def body() -> None:
        answers, health = Answers(odd, MASTER), Health()
        ask = lambda _: cast(Asker, answers)  # noqa: E731  (short, and of its own)
        login = lambda: (b"", None)  # noqa: E731
        topology = Topology(Shared(policy=Policy()), Report(health), ask, login=login)
        topology.watch([ADDRESS])
        async with asyncio.timeout(30):
            while not health.ready():
                await asyncio.sleep(0)
        assert topology.master() == ADDRESS
        assert answers.asked >= 2
        await topology.stop()

    asyncio.run(body())


def test_who_is_not_believed_vouches_for_nothing_and_changes_nothing_that_is_known() -> None:
    async def body() -> None:
        answers, looks = Answers(MASTER, {**MASTER, "master_replid": "b" * 40}), []
        ask = lambda _: cast(Asker, answers)  # noqa: E731  (short, and of its own)
        probing = Probing(
            Shared(policy=Policy()),
            ask,
            believes=lambda seen: seen.history == MASTER["master_replid"],
            decide=lambda: looks.append(1),
            forgotten=lambda node: None,
        )
        probing.watch([ADDRESS])
        (node,) = probing.nodes.values()
        async with asyncio.timeout(30):
            while len(looks) < 2:
                await asyncio.sleep(0)
        seen = node.seen
        assert (seen.answered, seen.history, seen.problem) == (False, MASTER["master_replid"], NEWCOMER)
        # replicas may be about to take its data
        assert probing._wait(node) == HURRIED
        await probing.stop()

    asyncio.run(body())


def test_a_server_that_does_not_say_what_it_is_vouches_for_nothing() -> None:
    async def body() -> None:
        answers, shared, looks = Answers({}), Shared(policy=Policy()), []
        ask = lambda _: cast(Asker, answers)  # noqa: E731  (short, and of its own)
        probing = Probing(shared, ask, decide=lambda: looks.append(1), forgotten=lambda node: None)
        probing.watch([ADDRESS])
        (node,) = probing.nodes.values()
        node.fresh, node.follower.covered = False, 5
        async with asyncio.timeout(30):
            while not looks:
                await asyncio.sleep(0)
        assert (node.seen.answered, node.follower.covered, node.fresh) == (False, 0, True)
        await probing.stop()

    asyncio.run(body())


def test_only_a_try_decides_how_long_a_replica_is_out() -> None:
    """A question in between that goes wrong is none, whether it is not answered or says no role."""

    async def body() -> None:
        answers, looks = Answers({}, Unanswered("not now"), {}), []
        ask = lambda _: cast(Asker, answers)  # noqa: E731  (short, and of its own)
        probing = Probing(
            Shared(policy=Policy()), ask, decide=lambda: looks.append(1), forgotten=lambda node: None
        )
        probing.watch([ADDRESS])
        (node,) = probing.nodes.values()
        for _ in range(5):
            node.breaker.failed(time.monotonic())
        node.breaker.until = back = time.monotonic() + 999
        async with asyncio.timeout(30):
            while len(looks) < 3:
                await asyncio.sleep(0)
                node.kick.set()
        assert (node.breaker.out, node.breaker.until) == (True, back)
        node.breaker.until = 0.0
        async with asyncio.timeout(30):
            while node.breaker.until == 0.0:
                await asyncio.sleep(0)
                node.kick.set()
        assert node.breaker.out
        await probing.stop()

    asyncio.run(body())
