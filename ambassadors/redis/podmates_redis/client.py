"""A client's connection: moves bytes between it and its session, and paces both sides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from podmates_redis import routing
from podmates_redis.connecting import leave_tunnel
from podmates_redis.pair import Limits, Pair, World
from podmates_redis.requests import Requests
from podmates_redis.session import Session
from podmates_redis.shared import Shared
from podmates_redis.upstream import keep_alive

_HIGH_WATER = 1 << 20  # bytes of output a client has not taken, from which servers are not read for it
_OUTPUT_LIMIT = 64 << 20  # bytes of answers of our own that a client may leave unread
_HELD = 8 << 20  # bytes of requests that wait, from which the client is not read
_LAST = 1.0  # seconds for the last replies of a master whose client left
_LINGER = 0.2  # seconds for the rest of a stream whose reader sends no more


class Client(asyncio.Protocol):
    """One connected client."""

    def __init__(self, world: World, shared: Shared, limits: Limits, left: Callable[[Client], None]) -> None:
        self._world, self._left = world, left
        self._requests = Requests(bulk_limit=limits.max_request)
        self.session = Session(shared)
        self.pair = Pair(self.session, world, limits, flush=self.flush)
        self._transport: asyncio.Transport | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._over = False

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
        self.pair.stalled = True
        self.pair.pace()

    def resume_writing(self) -> None:
        self.pair.stalled = False
        self.pair.pace()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.close()

    def drain(self) -> None:
        """Close as soon as nothing is on its way; what may never come is not waited for."""
        if self.session.waiting():
            self.close()
            return
        self.session.eof = True
        self.session.release()
        self.flush()

    def flush(self) -> None:
        """Do what the session wants done."""
        session = self.session
        if self._over:
            if not session.master.owed():
                self._bury()
            return
        if session.abort:
            self.close()
            return
        self.pair.work()
        if session.output:
            self._write()
        if session.shared.turned_away:
            self._world.hurry()
        if session.suspect:
            session.suspect = False
            self._world.suspect()
        if session.closing:
            self._finish()
        elif session.lingering and self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_later(_LINGER, self._finish)
        else:
            self._pace()

    def _write(self) -> None:
        pieces, self.session.output = self.session.output, []
        if self._transport is None:
            return
        self._transport.write(b"".join(pieces) if len(pieces) > 1 else pieces[0])
        if self.pair.stalled and self._transport.get_write_buffer_size() > _OUTPUT_LIMIT:
            self.session.abort = True
            self.close()

    def _pace(self) -> None:
        """Read the client only while what it sends can be passed on."""
        if self._transport is None or self._transport.is_closing():
            return
        stop = self.pair.full or self.session.held_bytes > _HELD
        if stop and self._transport.is_reading():
            self._transport.pause_reading()
        elif not stop and not self._transport.is_reading():
            self._transport.resume_reading()

    def _finish(self) -> None:
        """Close after the last byte is out; the servers owe nothing more."""
        self.pair.close()
        if self._transport is not None:
            self._transport.close()

    def close(self) -> None:
        """Close now; a command that is on its way is seen through, as a server would."""
        if self._over:
            return
        self._over = True
        session = self.session
        endless = session.waiting()
        leave_tunnel(session)
        session.quitting = True
        session.held.clear()
        if session.follower is not None:
            session.follower.clients -= 1
            session.follower = None
        if self._leaving is not None:
            self._leaving.cancel()
        if self._transport is not None:
            self._transport.abort()
        if endless or not self.pair.only_master(_LAST):
            self._bury()

    def _bury(self) -> None:
        """Let go of the servers; a write whose reply is missing may still run, so its keys stay marked."""
        session = self.session
        self.pair.close()
        for slot in session.master.queue:
            if slot.generation:
                session.marks.mark(slot.marks)
                session.settle(slot)
        session.master.queue.clear()
        self._left(self)
