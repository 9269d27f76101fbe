"""A client's connection: moves bytes between it, its session and its pair of connections to servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Protocol, cast

from podmates_common.backoff import Backoff
from podmates_common.parse import Address
from podmates_redis import answering, losing, routing
from podmates_redis.marks import Follower
from podmates_redis.replies import Part
from podmates_redis.requests import Requests
from podmates_redis.session import Session
from podmates_redis.shared import Shared
from podmates_redis.upstream import Refused, Upstream, keep_alive

_HIGH_WATER = 1 << 20  # bytes of output a client has not taken, from which servers are not read for it
_HELD = 8 << 20  # bytes of requests that wait, from which the client is not read
_GRACE = 1.0  # seconds for the last replies of a master that is one no more, or of one whose client left
_LINGER = 0.2  # seconds for the rest of a stream whose reader sends no more
_PAUSE = 0.1  # seconds before a replica that refused a client is tried again


class World(Protocol):
    """What a client needs to know of the servers."""

    def master(self) -> Address | None: ...
    def known(self) -> bool: ...
    def serving(self) -> bool: ...
    def hurry(self) -> None: ...
    def suspect(self) -> None: ...
    def doubt(self) -> None: ...
    async def changed(self) -> None: ...
    async def open_master(self, client: Client, at: Address) -> Upstream: ...
    async def open_replica(self, client: Client, follower: Follower) -> Upstream: ...


class Limits(Protocol):
    """The settings that a client needs."""

    @property
    def master_wait(self) -> float: ...
    @property
    def startup_wait(self) -> float: ...
    @property
    def max_request(self) -> int: ...


class Client(asyncio.Protocol):
    """One connected client."""

    def __init__(self, world: World, shared: Shared, limits: Limits, left: Callable[[Client], None]) -> None:
        self._world, self._limits, self._left = world, limits, left
        self._requests = Requests(bulk_limit=limits.max_request)
        self.session = Session(shared)
        self._transport: asyncio.Transport | None = None
        self._master: Upstream | None = None
        self._replica: Upstream | None = None
        self.master_at: Address | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._full: set[object] = set()  # servers that do not take what they are sent
        self._stalled = False  # the client does not take its replies
        self._over = False

    # -- the client's side ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_HIGH_WATER)
        keep_alive(transport)

    def data_received(self, data: bytes) -> None:
        batch = self._requests.feed(data)
        if batch:
            routing.requests(self.session, batch)
        if self._requests.broken is not None and not self.session.quitting:
            self.session.shared.tally.broken += 1
            routing.broken(self.session, self._requests.broken)
        self.flush()

    def eof_received(self) -> bool:
        routing.ended(self.session)
        self.flush()
        return True  # replies still go out; flush closes when there are none left

    def pause_writing(self) -> None:
        self._stalled = True
        self._pace_servers()

    def resume_writing(self) -> None:
        self._stalled = False
        self._pace_servers()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.close()

    # -- what the listener and the topology ask for ----------------------------------------------------------

    def drain(self) -> None:
        """Close as soon as nothing is on its way; what may never come is not waited for."""
        if self.session.waiting():
            self.close()
            return
        self.session.eof = True
        self.session.release()
        self.flush()

    def master_moved(self) -> None:
        """Another server is the master now."""
        if self._master is None or self.master_at == self._world.master():
            return
        if losing.master_moved(self.session):
            self._timer("grace", _GRACE, self._lose_master)
        self.flush()

    def eject(self, follower: Follower) -> None:
        """The replica is not to be read any more."""
        if self.session.follower is follower and self._replica is not None:
            losing.replica_lost(self.session)
            self.flush()

    # -- the servers' side ------------------------------------------------------------

    def arrived(self, upstream: Upstream, parts: list[Part]) -> None:
        """Take replies."""
        if upstream is self._master:
            answering.master_data(self.session, parts)
            if self._over and not self.session.master.owed():
                self._bury()
        elif upstream is self._replica:
            answering.replica_data(self.session, parts)
        self.flush()

    def arrived_raw(self, upstream: Upstream, data: bytes) -> None:
        """Take bytes of a stream."""
        if upstream is self._master:
            answering.tunnelled(self.session, data)
        self.flush()

    def gone(self, upstream: Upstream) -> None:
        """A server has closed the connection."""
        self._full.discard(upstream)
        if upstream is self._master:
            self._lose_master()
        elif upstream is self._replica:
            self._replica = None
            self._world.suspect()
            losing.replica_lost(self.session)
            self.flush()

    def hold(self, upstream: Upstream, full: bool) -> None:
        """A server does not take what it is sent, or takes it again."""
        (self._full.add if full else self._full.discard)(upstream)
        self.flush()

    def _lose_master(self) -> None:
        if self._master is None:
            return
        self._master.close()
        self._master = None
        self._cancel("grace")
        self._world.doubt()
        losing.master_lost(self.session)
        if self._over:
            self._bury()
        self.flush()

    # -- effects ------------------------------------------------------------

    def flush(self) -> None:
        """Do what the session wants done."""
        session = self.session
        if self._over:
            return
        if session.abort:
            self.close()
            return
        self._close_dropped()
        if session.master.out:
            self._write_master()
        if session.replica.out and self._replica is not None:
            self._replica.write(session.replica.out)
            session.replica.out.clear()
        if session.output and self._transport is not None:
            pieces = session.output
            self._transport.write(b"".join(pieces) if len(pieces) > 1 else pieces[0])
            session.output = []
        if session.shared.turned_away:
            self._world.hurry()
        if session.suspect:
            session.suspect = False
            self._world.suspect()
        if session.closing:
            self._finish()
            return
        if session.lingering and "linger" not in self._timers:
            self._timer("linger", _LINGER, self._finish)
        if not session.master.up and session.wants_master():
            self._reach_master()
        if not session.replica.up and session.wants_replica():
            self._start("replica", self._open_replica)
        self._pace_client()

    def _write_master(self) -> None:
        session = self.session
        if self._master is not None:
            self._master.raw = session.tunnel
            self._master.write(session.master.out)
        session.master.out.clear()

    def _close_dropped(self) -> None:
        session = self.session
        if session.master.drop:
            session.master.drop = False
            self._cancel("grace")
            if self._master is not None:
                self._master.close()
                self._master = None
        if session.replica.drop:
            session.replica.drop = False
            if self._replica is not None:
                self._replica.close()
                self._replica = None

    def _pace_client(self) -> None:
        """Read the client only while what it sends can be passed on."""
        if self._transport is None or self._transport.is_closing():
            return
        stop = bool(self._full) or self.session.held_bytes > _HELD
        if stop and self._transport.is_reading():
            self._transport.pause_reading()
        elif not stop and not self._transport.is_reading():
            self._transport.resume_reading()

    def _pace_servers(self) -> None:
        for upstream in (self._master, self._replica):
            if upstream is not None:
                upstream.pause(self._stalled)

    def _finish(self) -> None:
        """Close after the last byte is out; the servers owe nothing more."""
        self._close_servers()
        if self._transport is not None:
            self._transport.close()

    def close(self) -> None:
        """Close now; a command that is on its way is seen through, as a server would."""
        if self._over:
            return
        self._over = True
        session = self.session
        orphan = session.master.owed() and not session.waiting()
        routing.leave_tunnel(session)
        session.quitting = True
        session.held.clear()
        if session.follower is not None:
            session.follower.clients -= 1
            session.follower = None
        if self._transport is not None:
            self._transport.abort()
        if orphan and self._master is not None:
            self._master.pause(False)
            self._timer("orphan", _GRACE, self._bury)
        else:
            self._bury()

    def _bury(self) -> None:
        """Let go of the servers; a write whose reply is missing may still run, so its keys stay marked."""
        session = self.session
        self._close_servers()
        for slot in session.master.queue:
            if slot.generation:
                session.marks.mark(slot.marks)
                session.settle(slot)
        session.master.queue.clear()
        self._left(self)

    def _close_servers(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        for timer in self._timers.values():
            timer.cancel()
        for upstream in (self._master, self._replica):
            if upstream is not None:
                upstream.close()
        self._master = self._replica = None

    # -- connecting ------------------------------------------------------------

    def _start(self, name: str, job: Callable[[], Coroutine[None, None, None]]) -> None:
        running = self._tasks.get(name)
        if running is None or running.done():
            task = asyncio.get_running_loop().create_task(job())
            self._tasks[name] = task
            task.add_done_callback(self._stopped)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        """Look again at what is wanted, since more may have come while the task ended."""
        if not task.cancelled():
            task.result()
            self.flush()

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
        if self.session.wants_master():
            losing.give_up(self.session, not self._world.known(), self._world.serving())
            self.flush()

    async def _open_master(self) -> None:
        backoff = Backoff(0.05, 0.5)
        while not self._over and self.session.wants_master():
            at = self._world.master()
            if at is None:
                await self._world.changed()
                continue
            state = self.session.state
            try:
                upstream = await self._world.open_master(self, at)
            except (OSError, TimeoutError, Refused):
                self._world.suspect()
                await asyncio.sleep(backoff.next())
                continue
            if self._over or not upstream.alive or self._world.master() != at:
                upstream.close()
                continue
            self._master, self.master_at = upstream, at
            upstream.pause(self._stalled)
            self._cancel("wait")
            self.session.master_ready(state)
            routing.proceed(self.session)
            self.flush()

    async def _open_replica(self) -> None:
        follower, state = self.session.follower, self.session.state
        if follower is None:
            return
        try:
            upstream = await self._world.open_replica(self, follower)
        except (OSError, TimeoutError, Refused):
            self._world.suspect()
            if not self._over:
                losing.replica_lost(self.session)
                self.flush()
            await asyncio.sleep(_PAUSE)
            if self.session.wants_replica():
                losing.replica_lost(self.session)
                self.flush()
            return
        if self._over or not upstream.alive or self.session.follower is not follower or not follower.usable:
            upstream.close()
            losing.replica_lost(self.session)
        else:
            self._replica = upstream
            upstream.pause(self._stalled)
            self.session.replica.ready(state)
        self.flush()
