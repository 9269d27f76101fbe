"""A client's pair of connections, to the master and to one replica: opened when wanted, closed when told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Protocol

from podmates_common.backoff import Backoff
from podmates_common.parse import Address
from podmates_redis import answering, losing, routing
from podmates_redis.marks import Follower
from podmates_redis.replies import Part
from podmates_redis.session import Session
from podmates_redis.state import State
from podmates_redis.upstream import Owner, Refused, Upstream

log = logging.getLogger(__name__)

_GRACE = 1.0  # seconds for the last replies of a master that is one no more
_PAUSE = 0.1  # seconds before a server that refused a client is tried again


class World(Protocol):
    """What a client needs to know of the servers."""

    def master(self) -> Address | None: ...
    def known(self) -> bool: ...
    def serving(self) -> bool: ...
    def hurry(self) -> None: ...
    def suspect(self) -> None: ...
    def doubt(self) -> None: ...
    async def changed(self) -> None: ...
    async def open_master(self, owner: Owner, state: State, at: Address) -> Upstream: ...
    async def open_replica(self, owner: Owner, state: State, follower: Follower) -> Upstream: ...


class Limits(Protocol):
    """The settings that a client needs."""

    @property
    def master_wait(self) -> float: ...
    @property
    def startup_wait(self) -> float: ...
    @property
    def max_request(self) -> int: ...


class Pair:
    """The two connections of *session*; *flush* is called whenever the session may want something done."""

    def __init__(self, session: Session, world: World, limits: Limits, *, flush: Callable[[], None]) -> None:
        self._session, self._world, self._limits, self._flush = session, world, limits, flush
        self._master: Upstream | None = None
        self._replica: Upstream | None = None
        self._master_at: Address | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._full: set[Upstream] = set()
        self._over = False
        self._refused_by: Address | None = None  # the server that last refused to run something
        self._paced = False  # replies were piling up when this was last looked at
        self.stalled = False  # the client does not take its replies

    @property
    def full(self) -> bool:
        """Tell whether a server does not take what it is sent."""
        return bool(self._full)

    # -- what the client and the topology ask for --------------------------------------------

    def work(self) -> None:
        """Close, write and open what the session wants closed, written and opened."""
        session = self._session
        self._close_dropped()
        if session.master.out:
            if self._master is not None:
                self._master.raw = session.tunnel
                self._master.write(session.master.out)
            session.master.out.clear()
        if session.replica.out:
            if self._replica is not None:
                self._replica.write(session.replica.out)
            session.replica.out.clear()
        if session.parked or self._paced:
            self._paced = bool(session.parked)
            self.pace()
        if not session.master.up and session.wants_master():
            self._reach_master()
        if not session.replica.up and session.wants_replica():
            self._start("replica", self._open_replica)

    def pace(self) -> None:
        """Read the servers only while what they send can be passed on."""
        if self._master is not None:
            self._master.pause(self.stalled or self._session.stuffed("master"))
        if self._replica is not None:
            self._replica.pause(self.stalled or self._session.stuffed("replica"))

    def master_moved(self) -> None:
        """Another server is the master now."""
        if self._master is None or self._master_at == self._world.master():
            return
        if losing.master_moved(self._session):
            self._timer("grace", _GRACE, self._lose_master)
        self._flush()

    def eject(self, follower: Follower) -> None:
        """The replica is not to be read any more."""
        if self._session.follower is follower and self._replica is not None:
            losing.replica_lost(self._session)
            self._flush()

    def only_master(self, seconds: float) -> bool:
        """See through what the master still owes, for so many seconds; False when it owes nothing."""
        if self._master is None or not self._session.master.owed():
            return False
        self.stalled = False
        self._master.pause(False)
        self._timer("grace", seconds, self._lose_master)
        return True

    def close(self) -> None:
        """Let go of both connections."""
        self._over = True
        for task in self._tasks.values():
            task.cancel()
        for timer in self._timers.values():
            timer.cancel()
        for upstream in (self._master, self._replica):
            if upstream is not None:
                upstream.close()
        self._master = self._replica = None

    # -- what the connections tell -----------------------------------------------------------

    def arrived(self, upstream: Upstream, parts: list[Part]) -> None:
        """Take replies."""
        if upstream is self._master:
            answering.master_data(self._session, parts)
        elif upstream is self._replica:
            answering.replica_data(self._session, parts)
        self._flush()

    def arrived_raw(self, upstream: Upstream, data: bytes) -> None:
        """Take bytes of a stream."""
        if upstream is self._master:
            answering.tunnelled(self._session, data)
        self._flush()

    def gone(self, upstream: Upstream) -> None:
        """A server has closed the connection."""
        self._full.discard(upstream)
        if upstream is self._master:
            self._lose_master()
        elif upstream is self._replica:
            self._replica = None
            self._world.suspect()
            losing.replica_lost(self._session)
            self._flush()

    def hold(self, upstream: Upstream, full: bool) -> None:
        """A server does not take what it is sent, or takes it again."""
        (self._full.add if full else self._full.discard)(upstream)
        self._flush()

    def _lose_master(self) -> None:
        if self._master is None:
            return
        self._full.discard(self._master)
        self._master.close()
        self._master = None
        self._cancel("grace")
        self._world.doubt()
        losing.master_lost(self._session)
        self._flush()

    def _close_dropped(self) -> None:
        session = self._session
        if session.master.drop:
            session.master.drop = False
            self._refused_by = self._master_at
            self._cancel("grace")
            self._let_go(self._master)
            self._master = None
        if session.replica.drop:
            session.replica.drop = False
            self._let_go(self._replica)
            self._replica = None

    def _let_go(self, upstream: Upstream | None) -> None:
        if upstream is not None:
            self._full.discard(upstream)
            upstream.close()

    # -- connecting --------------------------------------------------------------------------

    def _start(self, name: str, job: Callable[[], Coroutine[None, None, None]]) -> None:
        running = self._tasks.get(name)
        if running is None or running.done():
            task = asyncio.get_running_loop().create_task(job())
            self._tasks[name] = task
            task.add_done_callback(self._stopped)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """Look again at what is wanted, since more may have come while the task ended."""
        if task.cancelled():
            return
        if error := task.exception():
            log.error("a client is closed, since connecting for it failed: %r", error)
            self._session.abort = True
        self._flush()

    def _timer(self, name: str, seconds: float, job: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, job)

    def _cancel(self, name: str) -> None:
        running = self._timers.pop(name, None)
        if running is not None:
            running.cancel()

    def _reach_master(self) -> None:
        if "wait" not in self._timers:
            wait = self._limits.master_wait if self._world.known() else self._limits.startup_wait
            self._timer("wait", wait, self._give_up)
        self._start("master", self._open_master)

    def _give_up(self) -> None:
        self._cancel("wait")
        if self._session.wants_master():
            losing.give_up(self._session, not self._world.known(), self._world.serving())
            self._flush()

    async def _open_master(self) -> None:
        backoff = Backoff(0.05, 0.5)
        while not self._over and self._session.wants_master():
            at = self._world.master()
            if at is None:
                await self._world.changed()
                continue
            if at == self._refused_by:
                self._refused_by = None
                await asyncio.sleep(_PAUSE)
                continue
            state = self._session.state
            try:
                upstream = await self._world.open_master(self, state, at)
            except (OSError, TimeoutError, Refused):
                self._world.suspect()
                await asyncio.sleep(backoff.next())
                continue
            if self._over or not upstream.alive or self._world.master() != at:
                upstream.close()
                continue
            self._master, self._master_at = upstream, at
            upstream.pause(self.stalled)
            self._cancel("wait")
            self._session.master_ready(state)
            routing.proceed(self._session)
            self._flush()

    async def _open_replica(self) -> None:
        session = self._session
        follower, state = session.follower, session.state
        if follower is None:
            return
        try:
            upstream = await self._world.open_replica(self, state, follower)
        except (OSError, TimeoutError, Refused):
            self._world.suspect()
            losing.replica_lost(session)
            self._flush()
            await asyncio.sleep(_PAUSE)
            losing.replica_lost(session)  # what has come meanwhile
            return
        if self._over or not upstream.alive or session.follower is not follower or not follower.usable:
            upstream.close()
            losing.replica_lost(session)
            return
        self._replica = upstream
        upstream.pause(self.stalled)
        session.replica.ready(state)
