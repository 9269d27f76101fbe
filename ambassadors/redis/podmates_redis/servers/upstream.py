"""A connection to a server, from connect to loss: opened in the state a client needs, its role checked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Protocol, cast

from podmates_common.parse import Address
from podmates_redis.ledger import Ledger
from podmates_redis.reading import LARGE, Reading
from podmates_redis.servers.bridge import Bridge
from podmates_redis.servers.dialing import PLAIN, Dialer
from podmates_redis.servers.said import fields, text
from podmates_redis.servers.traffic import Traffic
from podmates_redis.wire.replies import BrokenReply, Part, Replies
from podmates_redis.wire.requests import encode

log = logging.getLogger(__name__)

CONNECT = 1.0  # seconds for connecting and the greeting
_HIGH_WATER = 256 * 1024  # bytes not yet taken by the server, from which the client is not read
IDENTITY = encode(b"CLIENT", b"ID")
_REPLICATION = encode(b"INFO", b"replication")
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))  # seconds, seconds, probes
_UNACKNOWLEDGED = (("TCP_USER_TIMEOUT", 60_000),)  # milliseconds for bytes on their way, as for the probes
_AT_THE_DOOR = (b"-ERR max number of clients", b"-DENIED ")  # said to nothing that was asked
# what a server says to a client that it will not serve now, and that the client had better hear from us
_TELLING = (
    "BUSY ",
    "LOADING ",
    "MASTERDOWN ",
    "NOAUTH ",
    "WRONGPASS ",
    "NOPERM ",
    "DENIED ",
    "ERR max number",
)


class Refused(Exception):
    """The server does not take the connection, or is not what it was taken for."""

    @property
    def words(self) -> bytes:
        """The error line to tell a client that cannot be served for that reason; nothing if it is ours."""
        text = " ".join(str(self).split())
        return b"-%b\r\n" % text.encode() if text.startswith(_TELLING) else b""


class Unlike(Refused):
    """It is not what it was taken for."""


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
        self.history = ""  # of the server, its replication id
        self.id = 0  # that the server gave the connection; 0: it did not say
        self._replies: list[bytes] = []

    def take(self, reply: bytes) -> bool:
        """Take the next reply; True when it was the last.

        Raises:
            Refused: why the connection is of no use.
        """
        self._replies.append(reply)
        if reply[:1] == b"-" and (len(self._replies) <= self._needed or reply.startswith(_AT_THE_DOOR)):
            raise Refused(text(reply[1:]).strip())
        if len(self._replies) < self._expected:
            if reply[:1] == b":":  # only `IDENTITY` is answered so
                self.id = int(reply[1:])
            return False
        told = replication(reply)
        self.history = told.get("master_replid", "")
        problem = self._check(told)
        if problem:
            raise (Refused if "error" in told else Unlike)(problem)
        return True


def replication(reply: bytes) -> dict[str, str]:
    """Return the fields of INFO's reply; an error's text stands under ``error``."""
    if reply[:1] == b"-":
        return {"error": text(reply[1:]).strip()}
    return fields(text(reply))


class Upstream(Reading):
    """One connection to one server, owned by one client."""

    def __init__(self, owner: Owner, greeting: Greeting) -> None:
        self._owner, self._greeting = owner, greeting
        self._replies = Replies()
        self._partial: list[bytes] = []
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._greeted.add_done_callback(lambda told: told.cancelled() or told.exception())  # for nobody
        self._transport: asyncio.Transport | None = None
        self.ledger = Ledger()  # that tells how much at a time may be read
        self.raw = False  # pass bytes on without looking for replies
        self._traffic = Traffic()
        self._counted = False
        self._over = False  # closed by us, or found broken: what still comes is of no interest
        self._parted: Callable[[], None] = lambda: None  # whoever has taken it may begin

    @classmethod
    async def open(
        cls,
        address: Address,
        owner: Owner,
        greeting: Greeting,
        dialer: Dialer = PLAIN,
        *,
        limit: float = CONNECT,
    ) -> Upstream:
        """Return a connection that stands, greeted, within *limit* seconds.

        Raises:
            OSError, TimeoutError, Refused: there is none.
        """
        try:
            async with asyncio.timeout(limit):
                protocol = await dialer.connect(lambda: cls(owner, greeting), address)
                protocol._count(dialer.counts(str(address)))
                try:
                    await protocol._greeted
                    if protocol._transport is not None:
                        dialer.greeted(protocol._transport)
                except BaseException:
                    protocol.close()
                    raise
        except OSError as error:
            dialer.failed(address, error)
            raise
        return protocol

    @property
    def id(self) -> int:
        """The id that the server gave the connection; 0: it does not say."""
        return self._greeting.id

    def _count(self, traffic: Traffic) -> None:
        """Count this connection for as long as it stands."""
        if self._transport is not None:
            self._traffic, self._counted = traffic, True
            traffic.made += 1
            traffic.standing += 1

    @property
    def unsent(self) -> int:
        """Bytes that the server has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def write(self, pieces: list[bytes]) -> bool:
        """Send *pieces*; tell whether some of it has to wait for the server."""
        if self._transport is None:
            return False
        data = b"".join(pieces) if len(pieces) > 1 else pieces[0]
        self._traffic.sent += len(data)
        self._transport.write(data)
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    def pause(self, yes: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is None or self._transport.is_closing():
            return
        if yes and self._transport.is_reading():
            self._transport.pause_reading()
        elif not yes and not self._transport.is_reading():
            self._transport.resume_reading()

    @property
    def history(self) -> str:
        """Return the replication id that its server had when it was opened, if that was told."""
        return self._greeting.history

    @property
    def alive(self) -> bool:
        """Tell whether it can be written to."""
        return not self._over and self._transport is not None

    def close(self) -> None:
        """Cut the connection; the owner is not told."""
        if self._transport is not None and not self._over:
            with contextlib.suppress(OSError):  # now: who killed a client may give what it waited for
                self._transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._leave()

    def _leave(self) -> None:
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    def take(self, bridge: Bridge) -> int:
        """Return a descriptor of the connection, whose owner is the caller from now on.

        Raises:
            OSError, Refused: there is none left, or the connection is lost already.
        """
        transport = self._transport
        if transport is None or self._over:
            raise Refused("was lost at once")
        try:
            found, self._parted = bridge.part(transport)
            return found
        finally:
            self._leave()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_HIGH_WATER)
        keep_alive(transport.get_extra_info("socket"), _UNACKNOWLEDGED)
        self._transport.write(self._greeting.request)

    def missing(self) -> int:
        missing = LARGE if self.raw else self._replies.missing
        return missing and min(missing, self.ledger.share())

    def data_received(self, data: bytes) -> None:
        self._traffic.received += len(data)
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
        if self._counted:
            self._counted = False
            self._traffic.standing -= 1
        if not self._greeted.done():
            # an error of TLS 1.3 may come only now: a client's certificate is judged after its handshake
            told = error if isinstance(error, OSError) else None
            self._greeted.set_exception(told or Refused("closed the connection during the greeting"))
        elif not self._over:
            self._over = True
            self._owner.gone(self)
        self._parted()

    def pause_writing(self) -> None:
        self._owner.hold(self, True)

    def resume_writing(self) -> None:
        self._owner.hold(self, False)


def keep_alive(sock: socket.socket | None, more: tuple[tuple[str, int], ...] = ()) -> None:
    """Let the kernel find out that the other side is gone; *more* are further options of TCP."""
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (*_KEEPALIVE, *more):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
