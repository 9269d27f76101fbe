"""How a connection to the master is got, for one client or for many, whoever the master is meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from podmates_common.parse import Address
from podmates_redis import descriptors
from podmates_redis.clients.wants import World
from podmates_redis.servers.pacing import News
from podmates_redis.servers.upstream import Owner, Refused, Upstream
from podmates_redis.session.state import State
from podmates_redis.wire import texts

PAUSE = 0.1  # seconds before a server that refused a client is tried again


class Joined(NamedTuple):
    """A connection that stands, to whom, and in which state."""

    upstream: Upstream
    at: Address
    state: State


class Joining:
    """A way to the master, open while *wanted*, to a connection in *state*; *owner* gets what it brings."""

    def __init__(
        self, world: World, owner: Owner, *, state: Callable[[], State], wanted: Callable[[], bool]
    ) -> None:
        self._world, self._owner, self._state, self._wanted = world, owner, state, wanted
        self.over = False
        self.refused_by: Address | None = None  # the server that last refused to run something
        self.refusal = b""  # what the master says instead of taking a connection

    async def master(self) -> Joined | None:
        """Return a connection to the master, or nothing once nobody wants one any more."""
        world = self._world
        while not self.over and self._wanted():
            at = world.master()
            if at is None:
                await world.changed()
                continue
            if at == self.refused_by:
                self.refused_by = None
                await asyncio.sleep(PAUSE)
                continue
            state = self._state()
            try:
                upstream = await world.open_master(self._owner, state, at)
            except (OSError, TimeoutError, Refused) as error:
                if descriptors.short(error):
                    self.refusal = texts.TOO_MANY_CLIENTS
                    await asyncio.sleep(PAUSE)
                    continue
                # a reset may have cost us a server's words, and news are none of its
                if not isinstance(error, ConnectionResetError | News):
                    self.refusal = error.words if isinstance(error, Refused) else b""
                world.suspect()
                await asyncio.sleep(0)  # how long to wait is for who opens it to know
                continue
            if not self.over and upstream.alive and world.master() == at:
                self.refusal = b""
                return Joined(upstream, at, state)
            upstream.close()
        return None
