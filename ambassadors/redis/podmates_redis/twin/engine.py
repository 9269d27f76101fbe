"""The sockets of the shared path: one epoll descriptor, that the event loop reads as any other.

The law of this file
 1. It owns every plain client's socket and the shared upstream sockets; a descriptor has one owner at a
    time.
 2. One turn = one poll, then everything that is ready. Calls from outside run between two turns.
 3. Each ready socket is received from once a turn (level-triggered: what is left comes next turn), at most
    READ_SIZE from a client. Requests of a turn are sent once, at its end; replies at once per upstream read.
 4. Reading from a client stops at `most_inflight` unanswered commands, and while a connection to a server
    has more than UNSENT unsent bytes; it resumes at half. Unread output never stops reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Any

from podmates_redis.engine.events import DRAINED, ENDED_ITSELF
from podmates_redis.twin import failing, losing, times
from podmates_redis.twin.clients import new_client, take_input
from podmates_redis.twin.order import doom, make_dirty
from podmates_redis.twin.report import Leaver
from podmates_redis.twin.shapes import Client, Event
from podmates_redis.twin.sockets import GONE, IN, Sockets

_TURN = 256  # events a turn
_TICK = 0.1  # seconds between looks at the clock while something is on its way


class Engine(Sockets):
    """Clients and servers with sockets, in the thread of the event loop."""

    def __init__(self, *, most_inflight: int = 10_000, **options: Any) -> None:
        super().__init__(**options)
        self.signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.most_inflight = most_inflight
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Serve in the running event loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.poll.fileno(), self._turn)

    def stop(self) -> None:
        """Let go of everything."""
        if self._loop is not None:
            self._loop.remove_reader(self.poll.fileno())
        if self._timer is not None:
            self._timer.cancel()
        for descriptor in (*self.owners, self.signal):
            os.close(descriptor)
        self.owners.clear()
        self.poll.close()

    # -- clients ---------------------------------------------------------------------------------

    def adopt(
        self,
        fd: int,
        unread: bytes,
        group: int,
        id: int,
        *,
        place: int = 0,
        born: float = 0.0,
        heard: float = 0.0,
        did: int = 0,
        where: bytes = b"",
        known: bool = True,
    ) -> None:
        """Own a client that is plain (again); *unread*: bytes read from it and not used.

        *place*: where it has read so far; 0: nowhere. What `take` said of it otherwise is to be said again;
        *known*: its end is to be told.
        """
        core = self.enter()
        c = new_client(core, fd, id, core.groups[group])
        c.born, c.heard = born or core.now, heard or core.now
        c.known, c.did, c.where = known, did, where
        if place and core.places[place].usable:
            c.place = place
            core.places[place].clients += 1
        self.owners[fd] = c
        self.poll.register(fd, IN)
        if unread:
            take_input(core, c, unread, last=True)
            self.interest(c)
        self.after()

    def drain(self, id: int | None = None) -> None:
        """Close the client *id*, or every one, as soon as nothing of it is on its way."""
        core = self.enter()
        for c in self.some(id):
            c.ended, c.why = True, DRAINED
            make_dirty(core, c)
        self.after()

    def close_clients(self, id: int | None = None, why: int = ENDED_ITSELF) -> int:
        """Close the client *id*, or all, at once; return how many there were. *why*: as `ends` counts it."""
        core, found = self.enter(), self.some(id)
        for c in found:
            doom(core, c, why)
        self.after()
        return len(found)

    def closed_elsewhere(self) -> None:
        """A client that others had is gone: they count them here."""

    def fetch(self, id: int | None = None) -> None:
        """Let the client *id*, or every one, come back, once its commands are answered."""
        self.enter()
        for c in self.some(id):
            c.known = True  # somebody waits for it
            self._leave(c)
        self.after()

    # -- turns -----------------------------------------------------------------------------------

    def _turn(self) -> None:
        core, owners = self.core, self.owners
        core.now = time.monotonic()
        for fd, mask in self.poll.poll(0, _TURN):
            owner = owners.get(fd)
            if isinstance(owner, Client):
                try:
                    self.client_event(owner, mask)
                except Exception as error:
                    failing.client(self, owner, error)
            elif owner is not None and mask & (IN | GONE):
                try:
                    self.receive_replies(owner)
                except Exception as error:
                    failing.upstream(self, owner, error)
        self.after()

    def _tick(self) -> None:
        self._timer = None
        self.look_who_sends()
        times.check_times(self.enter())
        self.after()

    def after(self) -> None:
        """Send what has come together, and let others know what concerns them."""
        core = self.core
        self.flush_clients()
        for u in core.upstreams:
            if u.hopeless or u.collecting:
                self._end_collected()
                break
        for u in losing.retire_empty(core):
            self.hang_up(u)
        self.flush_clients()
        self.flush_upstreams()
        if core.events or core.leavers:
            os.eventfd_write(self.signal, 1)
        if self._timer is None and self._loop is not None:
            for u in core.upstreams:
                if u.slots:
                    self._timer = self._loop.call_later(_TICK, self._tick)
                    break

    def _end_collected(self) -> None:
        for u in list(self.core.upstreams):
            if u.fd != -1 and (u.hopeless or (u.collecting and losing.collected(self.core, u))):
                self.hang_up(u)
                losing.upstream_lost(self.core, u)

    def take(self) -> tuple[list[Leaver], list[Event]]:
        found = super().take()
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.signal)
        return found
