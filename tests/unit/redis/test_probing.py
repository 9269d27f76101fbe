"""Whatever an answer is or raises, the asking goes on, and silence is not vouched for."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.asking import Asker
from podmates_redis.shared import Policy, Shared
from podmates_redis.topology import Topology

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
        topology = Topology(Shared(policy=Policy()), health, ask, max_lag=0, login=login)
        topology.watch([ADDRESS])
        async with asyncio.timeout(30):
            while not health.ready():
                await asyncio.sleep(0)
        assert topology.master() == ADDRESS
        assert answers.asked >= 2
        await topology.stop()

    asyncio.run(body())
