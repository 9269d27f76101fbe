"""redis-py, its synchronous client with its defaults: ``redis_py.py PORT PROTOCOL``."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

import redis
from report import Report, same

NAME = "py"


class Rounds:
    """One application; a round uses every kind of command once."""

    def __init__(self, port: int, protocol: int) -> None:
        self.client: Any = redis.Redis(port=port, protocol=protocol, decode_responses=True)
        self.messages = self.client.pubsub(ignore_subscribe_messages=True)
        self.messages.subscribe(f"{NAME}:news")
        self.script = self.client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        self.count: int | None = None

    def all(self, number: int) -> None:
        time.sleep(0.05)  # an application thinks
        same("a settled value", self.client.mget("settled", "settled"), ["here", "here"])
        self.values(number)
        self.counter()
        self.pipeline(number)
        self.transaction(number)
        self.job(number)
        self.message(number)
        self.watched(number)

    def values(self, number: int) -> None:
        key = f"{NAME}:{number % 50}"
        self.client.set(key, number)
        same("GET", self.client.get(key), str(number))
        self.client.hset(key + ":h", mapping={"a": number, "b": "x" * (number % 3000)})
        same("HGETALL", self.client.hgetall(key + ":h"), {"a": str(number), "b": "x" * (number % 3000)})

    def counter(self) -> None:
        before, self.count = self.count, None  # not known, should this fail
        self.count = self.client.incr(f"{NAME}:count")
        same("INCR", self.count, before + 1 if before is not None else self.count)
        script = int(self.script(keys=[f"{NAME}:sum"], args=[0]))
        same("script", int(self.script(keys=[f"{NAME}:sum"], args=[2])), script + 2)

    def pipeline(self, number: int) -> None:
        pipe = self.client.pipeline(transaction=False)
        for place in range(10):
            pipe.set(f"{NAME}:p{place}", number).get(f"{NAME}:p{place}")
        same("pipeline", pipe.execute(), [True, str(number)] * 10)

    def transaction(self, number: int) -> None:
        pipe = self.client.pipeline()
        pipe.set(f"{NAME}:t", number).incr(f"{NAME}:t").get(f"{NAME}:t")
        same("EXEC", pipe.execute(), [True, number + 1, str(number + 1)])
        same("GET after EXEC", self.client.get(f"{NAME}:t"), str(number + 1))

    def job(self, number: int) -> None:
        self.client.hset(f"{NAME}:job:{number}", "payload", number)
        self.client.rpush(f"{NAME}:jobs", number)
        popped = self.client.blpop([f"{NAME}:jobs"], timeout=5)
        same("BLPOP", popped and popped[0], f"{NAME}:jobs")
        same("the job's data", self.client.hget(f"{NAME}:job:{popped[1]}", "payload"), popped[1])
        self.client.delete(f"{NAME}:job:{popped[1]}")

    def message(self, number: int) -> None:
        if not self.client.publish(f"{NAME}:news", number):
            return self.drain()  # the subscription is being made anew
        got = self.messages.get_message(timeout=5)
        while got and got["data"] != str(number):
            got = self.messages.get_message(timeout=5)
        return None

    def drain(self) -> None:
        while self.messages.get_message(timeout=0.05):
            pass

    def watched(self, number: int) -> None:
        with self.client.pipeline() as pipe:
            pipe.watch(f"{NAME}:w")
            pipe.get(f"{NAME}:w")
            pipe.multi()
            pipe.set(f"{NAME}:w", number)
            with contextlib.suppress(redis.WatchError):  # the usual answer to which is to try again
                same("EXEC under WATCH", pipe.execute(), [True])


def main() -> None:
    report, rounds, number = Report(), None, 0
    while not report.over.is_set():
        number += 1
        try:
            rounds = rounds or Rounds(int(sys.argv[1]), int(sys.argv[2]))
            rounds.all(number)
            report.round()
        except Exception as error:
            report.failed(error)


if __name__ == "__main__":
    main()
