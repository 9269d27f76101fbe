"""A client that sends what is random and knows what it may hear."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from podmates_redis.wire.replies import Replies
from tests.support.shared_path import LOST
from tests.unit.redis.engine.rig import OK, say
from tests.unit.redis.engine.servers import QUEUED, bulk


@dataclass
class Expected:
    """What one reply may be, and what that says of the client's keys."""

    write: tuple[bytes, bytes] | None = None
    reads: tuple[bytes, ...] = ()
    exact: bytes = b""
    many: bool = False
    block: tuple[Expected, ...] = ()


class Customer:
    """One client: sends what is random, knows what it may hear."""

    def __init__(self, number: int, chosen: random.Random) -> None:
        self.number, self._chosen = number, chosen
        self.possible: dict[bytes, set[bytes | None]] = {}
        # what a read has seen of a write behind it: then the connection was lost, the write in doubt, and the
        # read repeated
        self.foreseen: set[tuple[bytes, bytes]] = set()
        self.expected: deque[Expected] = deque()
        self.replies = Replies()
        self.partial = b""
        self.count = self.heard = 0

    def key(self) -> bytes:
        return b"c%d:%d" % (self.number, self._chosen.randrange(5))

    def _write(self) -> tuple[bytes, Expected]:
        self.count += 1
        key, value = self.key(), b"%d" % self.count + b"v" * self._chosen.choice((0, 0, 10, 3000))
        return say("SET", key, value), Expected(write=(key, value))

    def _read(self) -> tuple[bytes, Expected]:
        if self._chosen.random() < 0.2:
            keys = tuple(self.key() for _ in range(self._chosen.randrange(1, 4)))
            return say("MGET", *keys), Expected(reads=keys, many=True)
        key = self.key()
        return say("GET", key), Expected(reads=(key,))

    def speak(self) -> bytes:
        """Return a few requests."""
        data = b""
        for _ in range(self._chosen.choice((1, 1, 2, 5, 20))):
            kind = self._chosen.random()
            if kind < 0.05:
                data += say("ECHO", self.count)
                self.expected.append(Expected(exact=bulk(b"%d" % self.count)))
            elif kind < 0.12:
                data += self._block()
            else:
                request, expected = self._write() if kind < 0.45 else self._read()
                data += request
                self.expected.append(expected)
        return data

    def _block(self) -> bytes:
        inside = [self._write() if self._chosen.random() < 0.5 else self._read() for _ in range(3)]
        self.expected.append(Expected(exact=OK))
        self.expected += [Expected(exact=QUEUED)] * len(inside)
        self.expected.append(Expected(block=tuple(expected for _, expected in inside)))
        return say("MULTI") + b"".join(request for request, _ in inside) + say("EXEC")

    def hear(self, data: bytes) -> None:
        """Check replies as they come."""
        for piece, end in self.replies.feed(data):
            self.partial += piece
            if end:
                whole, self.partial = self.partial, b""
                assert self.expected, (self.number, "a reply to nothing", whole)
                self._check(self.expected.popleft(), whole)
                self.heard += 1

    def _check(self, expected: Expected, reply: bytes) -> None:
        if expected.exact:
            assert reply == expected.exact, (self.number, expected, reply)
        elif expected.block:
            assert self._matches(expected.block, reply), (self.number, expected, reply, self.possible)
        elif expected.write:
            key, value = expected.write
            assert reply in (OK, LOST), (self.number, expected, reply)
            assert reply == LOST or expected.write not in self.foreseen, (self.number, expected)
            before = self.possible.get(key, {None})
            self.possible[key] = {value} if reply == OK else {*before, value}
        else:
            assert self._read_is(expected, reply), (self.number, expected, reply, self.possible)

    def _read_is(self, expected: Expected, reply: bytes) -> bool:
        head = b"*%d\r\n" % len(expected.reads) if expected.many else b""
        if not reply.startswith(head):
            return False
        rest = reply[len(head) :]
        for key in expected.reads:
            options = {*self.possible.get(key, {None}), *self._behind(key)}
            found = next((o for o in options if rest.startswith(bulk(o))), False)
            if found is False:
                return False
            if found not in self.possible.get(key, {None}):
                self.foreseen.add((key, found))  # type: ignore[arg-type]
            self.possible[key] = {found}  # type: ignore[arg-type]  # None or bytes, since it is not False
            rest = rest[len(bulk(found)) :]  # type: ignore[arg-type]
        return not rest

    def _behind(self, key: bytes) -> list[bytes]:
        """Return what the writes of *key* bring that are not answered yet."""
        return [e.write[1] for e in self.expected if e.write and e.write[0] == key]

    def _matches(self, block: tuple[Expected, ...], reply: bytes) -> bool:
        rest = reply.removeprefix(b"*%d\r\n" % len(block))
        if rest == reply:
            return False
        for part in block:
            size = len(OK) if part.write else self._size(part, rest)
            self._check(part, rest[:size])
            rest = rest[size:]
        return not rest

    @staticmethod
    def _size(part: Expected, rest: bytes) -> int:
        size = 0
        for piece, end in Replies().feed(rest):
            size += len(piece)
            if end:
                break
        return size
