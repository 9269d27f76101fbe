"""A client's way between here and the engine: given when plain, and how it comes."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Protocol

from podmates_redis.clients.commons import Commons
from podmates_redis.clients.doors import Arrival, Rest
from podmates_redis.clients.lending import Habits, plain
from podmates_redis.faults import guarded
from podmates_redis.session.resting import Guest, did, keepsake
from podmates_redis.session.session import Session

_SOON = 0.002  # seconds after which a client that is plain is lent


class Owner(Protocol):
    """The client, as far as its loan goes."""

    def idle(self) -> asyncio.Transport | None: ...
    def parted(self) -> None: ...
    def lost(self) -> None: ...
    def fail(self, error: Exception) -> None: ...
    def back(self) -> asyncio.BaseProtocol | None: ...


class Loan:
    """Gives the connection of *session* to the engine; without *commons* never.

    `rest` is what the engine has left of the client, until that is here; `coming` says that it is not yet.
    """

    def __init__(
        self, owner: Owner, session: Session, commons: Commons | None, arrival: Arrival | None
    ) -> None:
        self._owner, self._session, self._commons = owner, session, commons
        self._timer: asyncio.TimerHandle | None = None
        self._coming: asyncio.Task[None] | None = None
        self.rest, self._where, visits = Rest(), b"", 0
        if arrival is not None:
            self.rest, self._where, visits = arrival.rest, arrival.where, arrival.kept.visits
        self._habits = Habits(visits)
        self.coming, self._arrival = arrival is not None, arrival

    def come(self) -> None:
        """Take the connection, which is ours from now on."""
        arrival, self._arrival = self._arrival, None
        if arrival is not None:
            self._coming = asyncio.get_running_loop().create_task(self._come(arrival.descriptor))

    def fail(self, error: Exception) -> None:
        self._owner.fail(error)

    def sent(self, requests: int) -> None:
        """The client has sent so many requests while it was here."""
        self._habits.sent(requests)

    def acted(self) -> None:
        """Something has happened to the client, or by it: the engine has to know what reads may do."""
        if self._commons is not None:
            self._commons.permit()

    def offer(self) -> None:
        """Lend the client soon if it is plain: first comes what it has begun, and what follows at once."""
        if self._commons is not None and self._timer is None and plain(self._session):
            wait = _SOON if self._session.read_bytes else 0
            self._timer = asyncio.get_running_loop().call_later(wait, self._lend)

    @guarded
    def _lend(self) -> None:
        session, self._timer = self._session, None
        transport = self._owner.idle() if plain(session) and self._habits.steady() else None
        if self._commons is None or transport is None:
            return
        group = self._commons.ready(session.state)
        if group is None:
            return
        transport.pause_reading()
        try:
            descriptor = os.dup(transport.get_extra_info("socket").fileno())
        except OSError:  # there are no more: it stays here
            transport.resume_reading()
            return
        try:
            self._commons.lend(self._departure(descriptor), group)
        except MemoryError:
            os.close(descriptor)
            transport.resume_reading()
            return
        transport.set_protocol(asyncio.Protocol())  # its end is none of ours
        transport.abort()
        self._owner.parted()

    def _departure(self, descriptor: int) -> Arrival:
        session, place = self._session, None if self._where else self._session.place
        guest = Guest(session.id, session.place, session.born, session.heard, did=did(session))
        kept = keepsake(session, self._habits.visits + 1, place)
        return Arrival(descriptor, guest, kept, self._where, Rest(), session.follower)

    async def _come(self, descriptor: int) -> None:
        connection, protocol = socket.socket(fileno=descriptor), self._owner.back()
        if protocol is None:
            connection.close()
            return
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
        except OSError:
            connection.close()
            self._owner.lost()
        except Exception as error:
            connection.close()
            self.fail(error)
