"""The shared path with its sockets cut off: a test plays clients, a master and a replica."""

from __future__ import annotations

from typing import Any

from podmates_redis.wire.requests import encode
from tests.support.shared_path import play

MASTER, REPLICA = 100, 101  # the connections that stand at the start
OK = b"+OK\r\n"


def say(*words: str | bytes | int) -> bytes:
    """Return one request."""
    return encode(*(word if isinstance(word, bytes) else str(word).encode() for word in words))


class Rig:
    """One group with a master and, if wanted, a replica that is proven to have everything so far."""

    def __init__(self, *, replica: bool = True, clients: int = 1, **options: Any) -> None:
        self.play = play(**{"window": 10_000, **options})
        self.group = self.play.open_group(0)
        self.play.attach(self.group, 0, MASTER)
        if replica:
            self.play.attach(self.group, 1, REPLICA)
            self.play.use_place(1, True)
        self.prove()
        for number in range(1, clients + 1):
            self.play.connect(number, self.group)

    def prove(self) -> None:
        """Let a probe show that the replica has all writes that were answered until now."""
        self.play.cover(1, self.play.begin())

    def client(self, data: bytes, number: int = 1) -> None:
        assert self.play.say(number, data)

    def told(self, number: int = 1) -> bytes:
        return self.play.told(number)

    def at_master(self) -> bytes:
        return self.play.sent(MASTER)

    def at_replica(self) -> bytes:
        return self.play.sent(REPLICA)

    def master(self, data: bytes) -> None:
        self.play.answer(MASTER, data)

    def replica(self, data: bytes) -> None:
        self.play.answer(REPLICA, data)

    def events(self) -> list[int]:
        return [event[0] for event in self.play.take()[1]]
