"""Listens for clients, and counts them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import stat
from collections.abc import Sequence
from typing import Any, TypeGuard

from podmates_common.parse import Address
from podmates_redis import descriptors
from podmates_redis.clients.client import Client
from podmates_redis.clients.commons import Commons
from podmates_redis.clients.doors import Arrival
from podmates_redis.clients.leases import Leases
from podmates_redis.clients.wants import Limits
from podmates_redis.cluster.cluster import Cluster
from podmates_redis.servers.topology import Topology
from podmates_redis.servers.upstream import keep_alive
from podmates_redis.session.shared import Shared
from podmates_redis.wire import texts

log = logging.getLogger(__name__)

_BACKLOG = 511  # clients that wait in the kernel
_AT_ONCE = 32  # clients taken in one turn of the loop
_LIGHTEN = 1.0  # seconds between two looks at how much memory clients take
_ENOUGH = 0.9  # of the memory that clients may take, when they have taken more
# No IPv6 here, which is no fault; None: asyncio found no family to bind.
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, None)


class Doorman:
    """Accepts clients up to a number."""

    def __init__(self, topology: Topology | Cluster, shared: Shared, limits: Limits, most: int) -> None:
        self._topology, self._shared, self._limits, self.most = topology, shared, limits, most
        self.clients: set[Client] = set()
        self.commons: Commons | None = None  # where plain clients are, if there is one
        self.leases = Leases()
        self.draining = False
        self._accepted = self._rejected = 0  # here
        self._lightened = float("-inf")  # when memory was looked at last, seconds
        self._lightening: asyncio.Handle | None = None
        self._resuming: asyncio.TimerHandle | None = None

    def __call__(self) -> asyncio.BaseProtocol:
        """Return the protocol for one more connection."""
        return _Newcomer(self)

    def admit(self, descriptor: int) -> Client | None:
        """Return the client for the connection with that *descriptor*; None: there are too many."""
        full = len(self._shared.roster) >= self.most or not self._shared.ledger.roomy
        if full or not descriptors.for_clients(descriptor):
            self._rejected += 1
            return None
        self._accepted += 1
        return self._enter(Client(self._topology, self._shared, self._limits, self))

    def _enter(self, client: Client) -> Client:
        self.clients.add(client)
        self._topology.dependents.add(client.pair)  # type: ignore[arg-type]
        return client

    def arrives(self, arrival: Arrival) -> None:
        """A client comes from the engine."""
        client = self._enter(Client(self._topology, self._shared, self._limits, self, arrival=arrival))
        if self.draining:
            client.drain()
        client.loan.come()

    def parted(self, client: Client) -> None:
        """The engine has a client."""
        self.clients.discard(client)
        self._topology.dependents.discard(client.pair)

    def drain(self) -> None:
        """Close everybody who waits for nothing as soon as what has come is answered."""
        self.draining = True
        if self.commons is not None:
            self.commons.drain()
        for client in list(self.clients):
            if not client.waiting():
                client.drain()

    def close(self) -> None:
        """Close everybody now."""
        if self.commons is not None:
            self.commons.cut()
        for client in list(self.clients):
            client.close()

    @property
    def accepted(self) -> int:
        """Clients since the start."""
        return self._accepted + (self.commons.accepted if self.commons is not None else 0)

    @property
    def rejected(self) -> int:
        """Clients that were turned away."""
        return self._rejected + (self.commons.rejected if self.commons is not None else 0)

    @property
    def present(self) -> int:
        """Clients that are not gone yet."""
        return len(self.clients) + (len(self.commons.lodgers) if self.commons is not None else 0)

    def resume(self, seconds: float) -> None:
        """Let clients go on in so many seconds that wait for the end of a pause."""
        if self._resuming is not None:
            self._resuming.cancel()
        self._resuming = asyncio.get_running_loop().call_later(seconds, self._resume)
        if self.commons is not None and self._shared.pause.on:
            self.commons.admit()
            self.commons.fetch()

    def _resume(self) -> None:
        self._resuming = None
        self._shared.pause.over()
        if self.commons is not None:
            self.commons.admit()
        # in the order in which they came, as a server lets them go on
        for client in sorted(self.clients, key=lambda client: client.session.paused_since()):
            client.proceed()

    def left(self, client: Client) -> None:
        """A client is gone."""
        if client in self.clients:
            self.parted(client)
            if self.commons is not None:
                self.commons.gone()

    def lighten(self) -> None:
        """See soon to it that clients take less memory than they may."""
        if self._lightening is None and (
            self._shared.ledger.full or self._shared.clock() - self._lightened > _LIGHTEN
        ):
            self._lightening = asyncio.get_running_loop().call_soon(self._lighten)

    def _lighten(self) -> None:
        """Weigh everybody anew, since bytes go out unseen; while that is too much close whoever has most."""
        self._lightening, self._lightened = None, self._shared.clock()
        ledger = self._shared.ledger
        for client in list(self.clients):
            client.weigh()
        if not ledger.full:
            return
        for client in sorted(self.clients, key=lambda client: client.weight, reverse=True):
            if ledger.held < ledger.limit * _ENOUGH:
                break
            log.warning("a client is closed, since clients take too much memory: %d bytes", client.weight)
            client.session.because("memory")
            client.close()


class _Newcomer(asyncio.Protocol):
    """Lets one client in, or turns it away in the server's words."""

    def __init__(self, doorman: Doorman) -> None:
        self._doorman = doorman

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (for the type checker)
        client = self._doorman.admit(transport.get_extra_info("socket").fileno())
        if client is None:
            transport.write(texts.TOO_MANY_CLIENTS)
            transport.close()
            return
        transport.set_protocol(client)
        client.connection_made(transport)


async def listen(where: Sequence[Address | str], doorman: Doorman) -> tuple[list[asyncio.Server], list[str]]:
    """Listen everywhere in *where*; return the listeners and the addresses as bound.

    Raises:
        OSError: one of them cannot be bound; nothing listens then.
    """
    servers: list[asyncio.Server] = []
    bound: list[str] = []
    try:
        for place in where:
            servers += await _listen_at(place, doorman)
    except BaseException:
        for server in servers:
            server.close()
        raise
    for server in servers:
        bound += [_name(sock) for sock in server.sockets]
        for sock in server.sockets:
            _open(sock.fileno(), doorman.commons)
    return servers, bound


def _open(descriptor: int, commons: Commons | None) -> None:
    """Have the kernel keep more clients than asyncio takes at once, for which it has one number."""
    with socket.socket(fileno=os.dup(descriptor)) as listener:
        listener.listen(_BACKLOG)
        if _elsewhere(commons):
            keep_alive(listener)  # which its clients inherit
            name = listener.getsockname()
            if not isinstance(name, str):
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            commons.listen(listener, name if isinstance(name, str) else "")


async def _listen_at(place: Address | str, doorman: Doorman) -> list[asyncio.Server]:
    try:
        return await (_listen_path if isinstance(place, str) else _listen)(place, doorman)  # type: ignore[arg-type]
    except OSError as error:
        raise OSError(error.errno, f"{place}: {os.strerror(error.errno or 0)}") from None


async def _listen(place: Address, doorman: Doorman) -> list[asyncio.Server]:
    loop, how = asyncio.get_running_loop(), _how(doorman)
    if place.host != "localhost":
        return [await loop.create_server(doorman, place.host or None, place.port, **how)]
    first = await loop.create_server(doorman, "127.0.0.1", place.port, **how)
    port = first.sockets[0].getsockname()[1]
    servers = [first]
    try:
        servers.append(await loop.create_server(doorman, "::1", port, **how))
    except OSError as error:
        if error.errno not in _NO_IPV6:
            first.close()
            raise
    return servers


async def _listen_path(path: str, doorman: Doorman) -> list[asyncio.Server]:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)  # left by a process that was killed
    return [await asyncio.get_running_loop().create_unix_server(doorman, path, **_how(doorman))]


def _how(doorman: Doorman) -> dict[str, Any]:
    """Return how asyncio is to listen: not at all where the engine does."""
    return {"backlog": _AT_ONCE, "start_serving": not _elsewhere(doorman.commons)}


def _elsewhere(commons: Commons | None) -> TypeGuard[Commons]:
    return commons is not None and commons.accepts


def remove_paths(where: Sequence[Address | str]) -> None:
    """Remove the socket files of *where*, which no listener does by itself before Python 3.13."""
    for place in where:
        if isinstance(place, str):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)


def _name(sock: socket.socket) -> str:
    name = sock.getsockname()
    return f"unix:{name}" if isinstance(name, str) else str(Address(*name[:2]))
