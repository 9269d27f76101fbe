"""Opens clients' connections to servers: each server has a gate, so that nobody storms one in trouble."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from podmates_common.parse import Address
from podmates_redis import descriptors
from podmates_redis.servers.dialing import PLAIN, Dialer
from podmates_redis.servers.gates import Gate
from podmates_redis.servers.traffic import Traffic
from podmates_redis.servers.upstream import CONNECT, Greeting, Owner, Refused, Unlike, Upstream
from podmates_redis.wire.replies import Part


class News(Refused):
    """There is something to hear before one connects; the server has said nothing."""


class Opener:
    """The way to every server; *limit* is how many seconds a connection may take to stand and be greeted."""

    def __init__(self, dialer: Dialer = PLAIN, limit: float = CONNECT) -> None:
        self._dialer, self.limit, self._clock = dialer, limit, time.monotonic
        self._gates: dict[str, Gate] = {}
        self._news = asyncio.Event()

    async def open(self, address: Address, owner: Owner, greeting: Greeting) -> Upstream:
        """Return a connection that stands, greeted, when it is its turn.

        Raises:
            OSError, TimeoutError, Refused: there is none, or there is news that its owner should hear first.
        """
        if not descriptors.left():
            raise descriptors.missing()
        gate = self._gates.setdefault(str(address), Gate(random.random, trial=self.limit))
        traffic = self._dialer.counts(str(address))
        await self._turn(gate, traffic)
        try:
            found = await Upstream.open(address, owner, greeting, self._dialer, limit=self.limit)
        except (OSError, TimeoutError, Refused) as error:
            if not descriptors.short(error):
                gate.failed(self._clock())
            traffic.failed[_cause(error)] += 1
            raise
        if gate.failures:
            gate.worked()
            self.changed()
        return found

    async def _turn(self, gate: Gate, traffic: Traffic) -> None:
        """Wait until somebody may connect through *gate*."""
        began = self._clock()
        wait = gate.wait(began)
        if not wait:
            return
        traffic.waits += 1
        try:
            await self._waited(gate, wait)
        finally:
            traffic.waited += self._clock() - began

    async def _waited(self, gate: Gate, wait: float) -> None:
        while wait:
            news = self._news  # also of somebody who has come through
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await news.wait()
                    raise News("is not connected to, since the servers have changed")
            wait = gate.wait(self._clock())

    async def tell(self, address: Address, login: list[bytes], request: bytes) -> bool:
        """Send *request* on a connection of its own, at once; tell whether it was granted."""
        told = _Told()
        greeting = Greeting(login, [], lambda fields: "")
        try:
            async with asyncio.timeout(2 * self.limit):
                upstream = await Upstream.open(address, told, greeting, self._dialer, limit=self.limit)
                try:
                    upstream.write([request])
                    return (await told.reply)[:1] != b"-"
                finally:
                    upstream.close()
        except (OSError, TimeoutError, Refused):
            return False

    def answered(self, name: str, at: float) -> None:
        """The server called *name* answered a question of the ambassador's own at the moment *at*."""
        gate = self._gates.get(name)
        if gate is not None and gate.failures and at > gate.failed_at:
            gate.worked()
            self.changed()

    def changed(self) -> None:
        """Let everybody look again at what to connect to."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    def forget(self, name: str) -> None:
        """The server called *name* is not among the servers any more."""
        self._gates.pop(name, None)
        self._dialer.forget(name)

    def failures(self) -> dict[str, int]:
        """Return how many connections in a row could not be made, by server."""
        return {name: gate.failures for name, gate in self._gates.items()}


def _cause(error: Exception) -> str:
    """Return in one word why a connection was not made."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, Unlike):
        return "role"
    return "refused" if isinstance(error, Refused) else "network"


class _Told:
    """Waits for the beginning of one reply."""

    def __init__(self) -> None:
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def arrived(self, upstream: Upstream, parts: list[Part]) -> None:
        if not self.reply.done():
            self.reply.set_result(parts[0].data)

    def arrived_raw(self, upstream: Upstream, data: bytes) -> None: ...
    def hold(self, upstream: Upstream, full: bool) -> None: ...

    def gone(self, upstream: Upstream) -> None:
        if not self.reply.done():
            self.reply.set_result(b"-")
