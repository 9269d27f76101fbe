"""valkey-glide with its defaults: ``glide_client.py PORT``."""

from __future__ import annotations

import asyncio
import sys

from glide import Batch, GlideClient, GlideClientConfiguration, NodeAddress, Script
from report import Report, same

NAME = "glide"
INCREMENT = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")


async def connect(port: int) -> GlideClient:
    where = [NodeAddress("127.0.0.1", port)]
    return await GlideClient.create(GlideClientConfiguration(where, request_timeout=10_000))


async def one(client: GlideClient, number: int) -> None:
    text = str(number).encode()
    await asyncio.sleep(0.05)  # an application thinks
    same("a settled value", await client.get("settled"), b"here")
    await client.set(f"{NAME}:k", str(number))
    same("GET", await client.get(f"{NAME}:k"), text)
    await client.hset(f"{NAME}:h", {"a": str(number), "b": "x"})
    same("HGETALL", await client.hgetall(f"{NAME}:h"), {b"a": text, b"b": b"x"})
    batch = Batch(is_atomic=True)
    batch.set(f"{NAME}:t", str(number))
    batch.incr(f"{NAME}:t")
    same("EXEC", await client.exec(batch, raise_on_error=True), ["OK", number + 1])
    batch = Batch(is_atomic=False)
    for place in range(10):
        batch.set(f"{NAME}:p{place}", str(number))
        batch.get(f"{NAME}:p{place}")
    same("batch", await client.exec(batch, raise_on_error=True), ["OK", text] * 10)
    before = int(await client.invoke_script(INCREMENT, [f"{NAME}:sum"], ["0"]))
    same("script", await client.invoke_script(INCREMENT, [f"{NAME}:sum"], ["2"]), before + 2)
    await client.rpush(f"{NAME}:jobs", [str(number)])
    popped = await client.blpop([f"{NAME}:jobs"], 5)
    same("BLPOP", popped and popped[0], f"{NAME}:jobs".encode())


async def run() -> None:
    report, number, client = Report(), 0, None
    while not report.over.is_set():
        number += 1
        try:
            client = client or await connect(int(sys.argv[1]))
            await one(client, number)
            report.round()
        except Exception as error:
            report.failed(error)
    if client:
        await client.close()


if __name__ == "__main__":
    asyncio.run(run())
