"""redis-py, its asyncio client with its defaults: ``redis_py_asyncio.py PORT PROTOCOL``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import redis.asyncio as redis
from report import Report, same

NAME = "aio"


class Rounds:
    """Several tasks share one client; a round uses every kind of command once in each."""

    def __init__(self, port: int, protocol: int) -> None:
        self.client: Any = redis.Redis(port=port, protocol=protocol, decode_responses=True)

    async def all(self, number: int) -> None:
        await asyncio.sleep(0.05)  # an application thinks
        same("a settled value", await self.client.get("settled"), "here")
        async with asyncio.TaskGroup() as group:
            for task in range(5):
                group.create_task(self.one(f"{NAME}:{task}", number))

    async def one(self, name: str, number: int) -> None:
        client = self.client
        await client.set(name, number)
        same("GET", await client.get(name), str(number))
        await client.zadd(name + ":z", {"a": number, "b": 0.5})
        same("ZRANGE", await client.zrange(name + ":z", 0, -1), ["b", "a"] if number > 0.5 else ["a", "b"])
        async with client.pipeline(transaction=True) as pipe:
            pipe.set(name + ":t", number).incr(name + ":t")
            same("EXEC", await pipe.execute(), [True, number + 1])
        async with client.pipeline(transaction=False) as pipe:
            for place in range(10):
                pipe.set(f"{name}:p{place}", number).get(f"{name}:p{place}")
            same("pipeline", await pipe.execute(), [True, str(number)] * 10)
        await client.rpush(name + ":jobs", number)
        popped = await client.blmove(name + ":jobs", name + ":done", timeout=5)
        same("LRANGE after BLMOVE", popped in await client.lrange(name + ":done", 0, -1), True)
        await client.ltrim(name + ":done", -10, -1)
        script = await client.eval("return redis.call('GET', KEYS[1])", 1, name)
        same("EVAL", script, str(number))
        async with client.lock(name + ":lock", timeout=30):
            value = int(await client.get(name + ":locked") or 0)
            await client.set(name + ":locked", value + 1)


async def run() -> None:
    report, number = Report(), 0
    rounds = Rounds(int(sys.argv[1]), int(sys.argv[2]))
    while not report.over.is_set():
        number += 1
        try:
            await rounds.all(number)
            report.round()
        except* Exception as group:
            for error in group.exceptions:
                report.failed(error)


if __name__ == "__main__":
    asyncio.run(run())
