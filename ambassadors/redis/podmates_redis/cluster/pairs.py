"""A client's connections to a cluster: a pair for each shard that it has asked for something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from podmates_redis.clients.pair import Pair
from podmates_redis.clients.wants import Limits
from podmates_redis.cluster.cluster import Cluster
from podmates_redis.cluster.guide import Guide
from podmates_redis.cluster.shards import Shard
from podmates_redis.faults import guarded
from podmates_redis.session import losing
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Leg


class LegPair(Pair):
    """The pair of one leg: whatever it does, the session stands on that leg."""

    def __init__(
        self,
        session: Session,
        shard: Shard,
        limits: Limits,
        *,
        leg: Leg,
        flush: Callable[[], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._whole, self._leg, self.shard = session, leg, shard
        super().__init__(session, shard.topology, limits, flush=flush, fail=fail)
        shard.topology.dependents.add(self)

    @property
    def _session(self) -> Session:
        self._whole.turn(self._leg)
        return self._whole

    @_session.setter
    def _session(self, session: Session) -> None:
        """Take no other one."""

    def close(self) -> None:
        self.shard.topology.dependents.discard(self)
        super().close()


class Pairs:
    """The pairs of *session*, and the guide that leads it."""

    def __init__(
        self,
        session: Session,
        cluster: Cluster,
        limits: Limits,
        *,
        flush: Callable[[], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._session, self._cluster, self._limits, self._flush = session, cluster, limits, flush
        self.fail = fail
        self._pairs: dict[int, LegPair] = {}
        self._stalled = False
        self._timer: asyncio.TimerHandle | None = None
        self._guide = Guide(session, cluster.shards, self._opened)  # type: ignore[arg-type]
        cluster.dependents.add(self)

    def _opened(self, leg: Leg, shard: Shard) -> None:
        pair = LegPair(self._session, shard, self._limits, leg=leg, flush=self._flush, fail=self.fail)
        pair.stalled = self._stalled
        self._pairs[shard.number] = pair

    @property
    def stalled(self) -> bool:
        """Tell whether the client does not take its replies."""
        return self._stalled

    def stall(self, yes: bool) -> None:
        """The client does not take its replies, or takes them again."""
        self._stalled = yes
        for pair in self._pairs.values():
            pair.stall(yes)
        self._rest()

    @property
    def unsent(self) -> int:
        """Return the bytes that servers have not taken."""
        return sum(pair.unsent for pair in self._pairs.values())

    @property
    def full(self) -> bool:
        return any(pair.full for pair in self._pairs.values())

    def work(self) -> None:
        for pair in list(self._pairs.values()):
            pair.work()
            if pair.shard.shared.turned_away:
                pair.shard.topology.hurry()
        if self._guide.due and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._guide.due, self._go_on)
        self._rest()

    @guarded
    def _go_on(self) -> None:
        self._timer = None
        self._guide.go_on()
        self._flush()

    def _rest(self) -> None:
        self._session.rested()

    def choose(self) -> None:
        """Let the next reads choose replicas anew."""
        for pair in self._pairs.values():
            pair.choose()
        self._rest()

    def only_master(self, seconds: float) -> bool:
        found = [pair.only_master(seconds) for pair in self._pairs.values()]
        self._rest()
        return any(found)

    def close(self) -> None:
        self._cluster.dependents.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        for pair in self._pairs.values():
            pair.close()

    @guarded
    def relead(self) -> None:
        """Who serves what may have changed: nothing is to wait for a master that does not serve it."""
        if self._guide.relead():
            self._flush()

    @guarded
    def retire(self, shard: Shard) -> None:
        """Leave *shard*, which serves nothing any more."""
        pair, leg = self._pairs.pop(shard.number, None), self._guide.legs.pop(shard.number, None)
        if pair is None or leg is None:
            return
        self._session.turn(leg)
        pair.close()
        losing.master_lost(self._session)
        losing.replica_lost(self._session)
        self._guide.leave(leg)
        self._flush()
