"""A client's connection: moves bytes between it and its session, and paces both sides."""

from __future__ import annotations

import asyncio
from typing import cast

from podmates_redis.clients import wheres
from podmates_redis.clients.doors import Arrival, Door, Rest
from podmates_redis.clients.failing import Failing
from podmates_redis.clients.loan import Loan
from podmates_redis.clients.pair import Pair
from podmates_redis.clients.patience import Patience
from podmates_redis.clients.scales import Scales
from podmates_redis.clients.wants import Limits, World
from podmates_redis.cluster.cluster import Cluster
from podmates_redis.cluster.pairs import Pairs
from podmates_redis.faults import guarded
from podmates_redis.reading import Reading
from podmates_redis.servers.upstream import keep_alive
from podmates_redis.session import losing, routing, strangers, taking
from podmates_redis.session.connecting import leave_tunnel
from podmates_redis.session.describing import Presence
from podmates_redis.session.resting import restore
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Shared
from podmates_redis.wire.requests import Requests

_LAST = 1.0  # seconds for the last replies of a master whose client left
_LINGER = 0.2  # seconds for the rest of a stream whose reader sends no more


class Client(Reading, Failing):
    """One client, connected or on its way from the engine."""

    def __init__(
        self,
        world: World | Cluster,
        shared: Shared,
        limits: Limits,
        door: Door,
        *,
        arrival: Arrival | None = None,
    ) -> None:
        self._world, self._door, self._clock = world, door, shared.clock
        self._requests = Requests(bulk_limit=limits.max_request)
        self.session = Session(shared)
        if arrival is not None:
            restore(self.session, arrival.guest, arrival.kept)
            self.session.follow(arrival.follower)
        self.loan = Loan(self, self.session, door.commons, arrival)
        self._presence = Presence(self.session, self.session.id)
        self.pair: Pair | Pairs
        if isinstance(world, Cluster):
            self.pair = Pairs(self.session, world, limits, flush=self.flush, fail=self.fail)
        else:
            self.pair = Pair(
                self.session, world, limits, leases=door.leases, flush=self.flush, fail=self.fail
            )
        self._patience = Patience(
            self.session,
            limits,
            stalled=lambda: self.pair.stalled,
            acted=self.flush,
            end=self._idle,
            fail=self.fail,
        )
        self._scales = Scales(self.session, self._requests, self.pair, pressed=door.lighten)
        self._transport: asyncio.Transport | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._over = self._draining = False

    @guarded
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._over:  # closed while the connection was on its way back
            cast(asyncio.Transport, transport).abort()
            return
        self._transport = cast(asyncio.Transport, transport)
        self._scales.begin(self._transport)
        if not self.loan.coming:
            keep_alive(transport.get_extra_info("socket"))
            self.session.place = wheres.told(transport)
        self.loan.coming = False
        self.session.wake = self._soon
        self._patience.watch()
        rest, self.loan.rest = self.loan.rest, Rest()
        if rest.unsent:
            self._transport.write(rest.unsent)
        if rest.unread:
            self._take(rest.unread)
        self._soon()

    def _soon(self) -> None:
        asyncio.get_running_loop().call_soon(self.proceed)

    @guarded
    def proceed(self) -> None:
        """Look whether what has waited may go on."""
        if not self._over and not self.loan.coming:
            routing.proceed(self.session)
        self.flush()

    def missing(self) -> int:
        missing = self._requests.missing
        return missing and min(missing, self.session.shared.ledger.share())

    @guarded
    def data_received(self, data: bytes) -> None:
        if not self._draining:
            self._take(data)

    def _take(self, data: bytes) -> None:
        session, requests = self.session, self._requests
        requests.locked = strangers.locked(session)
        batch = requests.feed(data)
        session.heard, session.read_bytes, session.unread = self._clock(), len(data), requests.waiting
        self.loan.sent(len(batch))
        taking.take(session, requests, batch)
        self.flush()

    @guarded
    def eof_received(self) -> bool:
        routing.ended(self.session)
        self.flush()
        return True  # replies still go out; flush closes when there are none left

    def unsent(self) -> int:
        """Return the bytes of replies that the client has not taken."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def pause_writing(self) -> None:
        self.weigh()

    def resume_writing(self) -> None:
        self.weigh()

    @property
    def weight(self) -> int:
        """What the process holds for it, bytes, as last weighed."""
        return self._scales.weight

    @guarded
    def weigh(self) -> None:
        """Look what the process holds for it, and read only who should be read."""
        if self._transport is not None and not self._over:
            self._scales.pace(self._transport)

    @guarded
    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.session.because("left")
        self.close()

    def _idle(self) -> None:
        self.session.because("idle")
        self.close()

    @guarded
    def heed(self, *, choose: bool) -> None:
        """The settings are others; *choose*: also as to who is read."""
        if choose:
            self.pair.choose()
        self._patience.watch()

    def waiting(self) -> bool:
        """Tell whether it waits for what may never come."""
        return self.session.waiting()

    @guarded
    def drain(self) -> None:
        """Close as soon as what has come is answered; what may never come is not waited for."""
        self._draining = True
        self.session.because("drain")
        if self.session.waiting():
            self.close()
            return
        self.session.eof = True
        if self.loan.coming:
            return
        self.session.release()
        self.flush()

    @guarded
    def flush(self) -> None:
        """Do what the session wants done."""
        session = self.session
        if self._over:
            session.output.clear()
            if not session.owed():
                self._bury()
            return
        if session.abort:
            self.close()
            return
        if self.loan.coming:
            return
        taking.go_on(session, self._requests)
        self.pair.work()
        self.loan.acted()
        if session.output:
            self._write()
        if session.shared.turned_away:
            self._world.hurry()
        if session.suspect:
            session.suspect = False
            self._world.suspect()
        if session.pending:
            session.count_pending()
        if session.closing:
            self._finish()
        elif session.lingering and self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_later(_LINGER, self._finish)
        else:
            self._patience.watch()
            if self._transport is not None:
                self._scales.pace(self._transport)
            self.loan.offer()

    def _write(self) -> None:
        pieces, self.session.output = self.session.output, []
        if self._transport is None:
            return
        self._transport.write(b"".join(pieces) if len(pieces) > 1 else pieces[0])

    # -- with the engine ---------------------------------------------------------------------

    def idle(self) -> asyncio.Transport | None:
        """Return the connection if nothing of it is unread or unwritten here."""
        transport = self._transport
        if self._over or transport is None or transport.is_closing():
            return None
        return None if transport.get_write_buffer_size() or self._requests.waiting else transport

    def parted(self) -> None:
        """The engine has the connection: nothing of the client is left here."""
        self._over, self._transport = True, None
        self._patience.stop()
        self._scales.leave()
        self._presence.leave()
        self.pair.close()
        self.session.follow(None)
        self._door.parted(self)

    def lost(self) -> None:
        """The client was gone when it came."""
        self.session.because("left")
        self.close()

    def back(self) -> Client | None:
        """Return who takes the connection; None: it is to be closed."""
        return None if self._over else self

    @guarded
    def _finish(self) -> None:
        """Close after the last byte is out; the servers owe nothing more."""
        self.session.because("left" if self.session.eof else "quit")
        self._presence.leave()  # before the other side can see the end, and look
        self.pair.close()
        if self._transport is not None:
            self._transport.close()

    def close(self) -> None:
        """Close now; a command that is on its way is seen through, as a server would."""
        if self._over:
            return
        self._over = True
        self._patience.stop()
        self._scales.leave()
        session = self.session
        session.because("upstream")
        session.shared.tally.closed[session.why_closed] += 1
        endless = session.waiting()
        leave_tunnel(session)
        self.loan.acted()
        session.quitting = True
        session.held.clear()
        self._presence.leave()
        losing.stop_reading(session)
        if self._leaving is not None:
            self._leaving.cancel()
        if self._transport is not None:
            self._transport.abort()
        if endless or not self.pair.only_master(_LAST):
            self._bury()

    def cut_off(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def end(self) -> None:
        self._over = True
        self._door.left(self)

    def _bury(self) -> None:
        """Let go of the servers; a write whose reply is missing may still run, so its keys stay marked."""
        self.pair.close()
        losing.bury(self.session)
        self._door.left(self)
