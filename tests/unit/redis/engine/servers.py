"""A master and a replica that lags, as far as the model needs them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from podmates_redis.wire.requests import Requests
from tests.unit.redis.engine.rig import OK

READONLY = b"-READONLY You can't write against a read only replica.\r\n"
QUEUED = b"+QUEUED\r\n"
Data = dict[bytes, bytes]


def bulk(value: bytes | None) -> bytes:
    return b"$-1\r\n" if value is None else b"$%d\r\n%b\r\n" % (len(value), value)


@dataclass
class Server:
    """A server: its data, and its part of the history that all servers share."""

    history: list[tuple[bytes, bytes]]
    master: bool = False
    data: Data = field(default_factory=dict)
    applied: int = 0

    def replicate(self, upto: int) -> None:
        for key, value in self.history[self.applied : upto]:
            self.data[key] = value
        self.applied = max(self.applied, min(upto, len(self.history)))

    def run(self, args: list[bytes]) -> bytes:
        name = args[0].upper()
        if name == b"GET":
            return bulk(self.data.get(args[1]))
        if name == b"MGET":
            return b"*%d\r\n" % (len(args) - 1) + b"".join(bulk(self.data.get(key)) for key in args[1:])
        if not self.master:
            return READONLY
        self.history.append((args[1], args[2]))
        self.replicate(len(self.history))
        return OK


class Link:
    """One connection to a server."""

    def __init__(self, server: Server, number: int, place: int) -> None:
        self.server, self.number, self.place = server, number, place
        self.requests: deque[list[bytes]] = deque()
        self._parser = Requests()
        self._queued: list[list[bytes]] | None = None
        self._spoilt = False
        self.replies = b""
        self.demoted = False  # for good: a server that is promoted again has new connections

    def feed(self, data: bytes) -> None:
        self.requests += [request.args for request in self._parser.feed(data)]

    def step(self) -> None:
        """Run the oldest request."""
        args = self.requests.popleft()
        name = args[0].upper()
        if name == b"MULTI":
            self._queued, self._spoilt = [], False
            self.replies += OK
        elif name == b"EXEC" and self._queued is not None:
            queued, self._queued = self._queued, None
            if not self._spoilt and self._refuses() and any(args[0] == b"SET" for args in queued):
                self.replies += b"-EXECABORT Transaction discarded because of: " + READONLY[1:]
                return
            answers = [self.server.run(queued_args) for queued_args in queued]
            spoilt = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
            self.replies += spoilt if self._spoilt else b"*%d\r\n" % len(answers) + b"".join(answers)
        elif self._queued is not None and (name != b"SET" or not self._refuses()):
            self._queued.append(args)
            self.replies += QUEUED
        elif self._queued is not None:
            self._spoilt = True
            self.replies += READONLY
        elif name == b"SET" and self._refuses():
            self.replies += READONLY
        else:
            self.replies += self.server.run(args)

    def _refuses(self) -> bool:
        return self.demoted or not self.server.master
