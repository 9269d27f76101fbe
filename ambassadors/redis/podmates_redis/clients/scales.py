"""What one client makes the process hold, and who is not read any more because of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from podmates_redis.session import strangers
from podmates_redis.session.session import Session
from podmates_redis.wire.requests import Requests

_OUTPUT = 256 * 1024  # bytes a client has not taken, from which servers are not read for it
_REQUESTS = 16 << 20  # bytes that its requests take, from which the client is not read
_KEPT = 64 * 1024, 1 << 20  # bytes, at least and at most, of a word that is kept until its request is whole
_LITTLE = 4096  # bytes that are not worth counting


class Ways(Protocol):
    """The client's connections to servers."""

    @property
    def stalled(self) -> bool: ...
    @property
    def unsent(self) -> int: ...
    @property
    def full(self) -> bool: ...
    def stall(self, yes: bool) -> None: ...


class Scales:
    """Weighs a client, and stops its servers or itself; *pressed* is called when all together weigh much."""

    __slots__ = ("_high", "_ledger", "_pair", "_pressed", "_requests", "_session", "_stopped", "weight")

    def __init__(
        self, session: Session, requests: Requests, pair: Ways, *, pressed: Callable[[], None]
    ) -> None:
        self._session, self._requests, self._pair, self._pressed = session, requests, pair, pressed
        self._ledger = session.shared.ledger
        self.weight = 0  # as it stands in the ledger
        self._high = _OUTPUT  # bytes of output of which the transport tells when they have gone out
        self._stopped = False  # the client is not read

    def begin(self, transport: asyncio.Transport) -> None:
        """The client is connected."""
        self._stopped = False
        transport.set_write_buffer_limits(self._high)
        self._requests.large = _KEPT[1]

    def pace(self, transport: asyncio.Transport) -> None:
        """Read the client only while what it sends can be passed on, and servers while it takes replies."""
        session, pair = self._session, self._pair
        output = transport.get_write_buffer_size()
        weight = session.weight + session.parked + session.master.framed
        weight += output + self._requests.weight + pair.unsent
        # what comes next has nowhere to go
        stop = pair.full or self._requests.begun is not None or session.uploads_to_nobody()
        stop = stop or strangers.deciding(session)
        if weight < _LITTLE and not self.weight and not pair.stalled:
            if self._stopped is not stop:
                self._stop(transport, stop)
            return
        self._enter(weight if weight >= _LITTLE else 0)
        share = self._ledger.share()
        self._limit(transport, min(_OUTPUT, share))
        self._requests.large = min(max(_KEPT[0], share // 16), _KEPT[1])
        share = max(share, self._high)
        reading = session.weight <= min(_REQUESTS, share) and output <= share
        # who is not read since it has asked so much may be one that reads once it has asked all
        stalled = output > (self._high if reading else share)
        if stalled is not pair.stalled or session.room != share:
            session.room = share
            pair.stall(stalled)
        self._stop(transport, stop or not reading)

    def leave(self) -> None:
        """Hold nothing any more."""
        self._ledger.held -= self.weight
        self.weight = 0

    def _enter(self, weight: int) -> None:
        self._ledger.held += weight - self.weight
        self.weight = weight
        if self._ledger.pressed:
            self._pressed()

    def _limit(self, transport: asyncio.Transport, high: int) -> None:
        if high * 2 <= self._high or high >= self._high * 2:
            self._high = high
            transport.set_write_buffer_limits(high)

    def _stop(self, transport: asyncio.Transport, stop: bool) -> None:
        if transport.is_closing():
            return
        self._stopped = stop
        if stop and transport.is_reading():
            transport.pause_reading()
        elif not stop and not transport.is_reading():
            transport.resume_reading()
