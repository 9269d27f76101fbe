"""A client led through a cluster of two shards, without sockets: a test plays the client and the servers."""

from __future__ import annotations

from podmates_redis.cluster import wants
from podmates_redis.cluster.guide import Guide
from podmates_redis.cluster.hashing import SLOTS
from podmates_redis.cluster.slotmap import Place
from podmates_redis.commands.table import builtin
from podmates_redis.session import answering, routing
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Policy, Shared
from podmates_redis.session.slots import Leg
from podmates_redis.wire.replies import Replies
from podmates_redis.wire.requests import Requests
from tests.unit.redis.rig import shared

LOW, HIGH = ("low", 1), ("high", 2)


class Shard:
    def __init__(self, number: int, facts: Shared) -> None:
        self.number, self.shared = number, facts


class Map:
    """Two shards that serve half of the slots each, the first of them home."""

    def __init__(self, shards: list[Shard]) -> None:
        self.shards, self.doubts = shards, 0
        self.owners = [shards[slot >= SLOTS // 2] for slot in range(SLOTS)]

    def owner(self, slot: int) -> Shard:
        return self.owners[slot]

    def home(self) -> Shard:
        return self.shards[0]

    def all(self) -> list[wants.Shard]:
        return list(self.shards)

    def knows(self, place: Place) -> bool:
        return self.at(place) is not None

    def at(self, place: Place) -> Shard | None:
        return {LOW: self.shards[0], HIGH: self.shards[1]}.get(place)

    def moved(self, slot: int, place: Place) -> Shard | None:
        found = self.at(place)
        if found is not None:
            self.owners[slot] = found
        return found

    def doubt(self) -> None:
        self.doubts += 1


class Led:
    """One client's session with a leg to each shard, all connections standing."""

    def __init__(self, *, replica: bool = False) -> None:
        self.now = 0.0
        shards = [Shard(number, shared(replica=replica, policy=Policy())) for number in (1, 2)]
        for shard in shards:
            shard.shared.clock = lambda: self.now
            shard.shared.table = builtin()
        self.map = Map(shards)
        self.session = Session(shards[0].shared)
        self.guide = Guide(self.session, self.map, lambda leg, shard: None)
        self._requests = Requests()
        self._replies: dict[tuple[int, str], Replies] = {}
        for shard in shards:
            self._on(shard.number)
            self.session.master_ready(self.session.state)
            self.session.replica.ready(self.session.state)
        self.session.rested()

    def _on(self, number: int) -> Leg:
        leg = self.guide.leg(self.map.shards[number - 1])
        self.session.turn(leg)
        return leg

    def send(self, *commands: str) -> None:
        """The client sends *commands* at once."""
        routing.requests(
            self.session, self._requests.feed("".join(f"{line}\r\n" for line in commands).encode())
        )

    def says(self, number: int, data: bytes, *, replica: bool = False) -> None:
        """The master of shard *number*, or its replica, answers *data*."""
        self._on(number)
        name = "replica" if replica else "master"
        take = answering.replica_data if replica else answering.master_data
        take(self.session, self._replies.setdefault((number, name), Replies()).feed(data))
        self.session.rested()

    def asked(self, number: int, *, replica: bool = False) -> list[str]:
        """Return the requests that a server of shard *number* was sent since the last time."""
        leg = self._on(number)
        out = (leg.replica if replica else leg.master).out
        found = [b" ".join(request.args).decode() for request in Requests().feed(b"".join(out))]
        out.clear()
        self.session.rested()
        return found

    def told(self) -> bytes:
        """Return what the client has been told since the last time."""
        output, self.session.output = b"".join(self.session.output), []
        return output
