"""A connection to a server, from connect to loss: opened in the state a client needs, its role checked."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol, cast

from podmates_common.parse import Address
from podmates_redis.replies import BrokenReply, Part, Replies
from podmates_redis.requests import encode

log = logging.getLogger(__name__)

CONNECT = 1.0  # seconds for connecting and the greeting
_HIGH_WATER = 1 << 20  # bytes not yet taken by the server, from which the client is not read
_REPLICATION = encode(b"INFO", b"replication")
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))  # seconds, seconds, probes


class Refused(Exception):
    """The server does not take the connection, or is not what it was taken for."""


class Owner(Protocol):
    """Who uses a connection."""

    def arrived(self, upstream: Upstream, parts: list[Part]) -> None: ...
    def arrived_raw(self, upstream: Upstream, data: bytes) -> None: ...
    def gone(self, upstream: Upstream) -> None: ...
    def hold(self, upstream: Upstream, full: bool) -> None: ...


class Greeting:
    """What is said first on a connection: *needed* must be granted, *optional* may be refused."""

    def __init__(
        self, needed: list[bytes], optional: list[bytes], check: Callable[[dict[str, str]], str]
    ) -> None:
        self._needed, self._check = len(needed), check
        self.request = b"".join([*needed, *optional, _REPLICATION])
        self._expected = len(needed) + len(optional) + 1
        self._replies: list[bytes] = []

    def take(self, reply: bytes) -> bool:
        """Take the next reply; True when it was the last.

        Raises:
            Refused: why the connection is of no use.
        """
        self._replies.append(reply)
        if reply[:1] == b"-" and len(self._replies) <= self._needed:
            raise Refused(reply[1:].decode("utf-8", "replace").strip())
        if len(self._replies) < self._expected:
            return False
        problem = self._check(replication(reply))
        if problem:
            raise Refused(problem)
        return True


def replication(reply: bytes) -> dict[str, str]:
    """Return the fields of INFO's reply; an error's text stands under ``error``."""
    if reply[:1] == b"-":
        return {"error": reply[1:].decode("utf-8", "replace").strip()}
    pairs = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in pairs if colon}


class Upstream(asyncio.Protocol):
    """One connection to one server, owned by one client."""

    def __init__(self, owner: Owner, greeting: Greeting) -> None:
        self._owner, self._greeting = owner, greeting
        self._replies = Replies()
        self._partial: list[bytes] = []
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self.raw = False  # pass bytes on without looking for replies
        self._over = False  # closed by us, or found broken: what still comes is of no interest

    @classmethod
    async def open(cls, address: Address, owner: Owner, greeting: Greeting) -> Upstream:
        """Return a connection that stands, greeted.

        Raises:
            OSError, TimeoutError, Refused: there is none.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT):
            _, protocol = await loop.create_connection(lambda: cls(owner, greeting), *address)
            try:
                await protocol._greeted
            except BaseException:
                protocol.close()
                raise
        return protocol

    def write(self, pieces: list[bytes]) -> None:
        """Send *pieces*."""
        if self._transport is not None:
            self._transport.write(b"".join(pieces) if len(pieces) > 1 else pieces[0])

    def pause(self, yes: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is None or self._transport.is_closing():
            return
        if yes and self._transport.is_reading():
            self._transport.pause_reading()
        elif not yes and not self._transport.is_reading():
            self._transport.resume_reading()

    @property
    def alive(self) -> bool:
        """Tell whether it can be written to."""
        return not self._over and self._transport is not None

    def close(self) -> None:
        """Cut the connection; the owner is not told."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_HIGH_WATER)
        keep_alive(transport)
        self._transport.write(self._greeting.request)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        if self.raw:
            self._owner.arrived_raw(self, data)
            return
        try:
            parts = self._replies.feed(data)
        except BrokenReply as error:
            log.warning("a server's reply cannot be read, so its connection is closed: %s", error)
            self._broken()
            return
        if not self._greeted.done():
            self._greet(parts)
        elif parts:
            self._owner.arrived(self, parts)

    def _greet(self, parts: list[Part]) -> None:
        try:
            for data, end in parts:
                self._partial.append(data)
                if end:
                    reply, self._partial = b"".join(self._partial), []
                    if self._greeting.take(reply):
                        self._greeted.set_result(None)
        except Refused as error:
            self._greeted.set_exception(error)

    def _broken(self) -> None:
        self.close()
        if self._greeted.done():
            self._owner.gone(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self._greeted.done():
            self._greeted.set_exception(Refused("closed the connection during the greeting"))
        elif not self._over:
            self._over = True
            self._owner.gone(self)

    def pause_writing(self) -> None:
        self._owner.hold(self, True)

    def resume_writing(self) -> None:
        self._owner.hold(self, False)


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Let the kernel find out that the other side is gone."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
