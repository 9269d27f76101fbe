"""Listens for clients, and counts them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Sequence

from podmates_common.parse import Address
from podmates_redis import texts
from podmates_redis.client import Client
from podmates_redis.pair import Limits
from podmates_redis.shared import Shared
from podmates_redis.topology import Topology

_BACKLOG = 511
# No IPv6 here, which is no fault; None: asyncio found no family to bind.
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, None)


class Doorman:
    """Accepts clients up to a number."""

    def __init__(self, topology: Topology, shared: Shared, limits: Limits, most: int) -> None:
        self._topology, self._shared, self._limits, self._most = topology, shared, limits, most
        self.accepted = self.rejected = 0

    def __call__(self) -> asyncio.BaseProtocol:
        """Return the protocol for one more connection."""
        clients = self._topology.clients
        if len(clients) >= self._most:
            self.rejected += 1
            return _Full()
        self.accepted += 1
        client = Client(self._topology, self._shared, self._limits, clients.discard)
        clients.add(client)
        return client


class _Full(asyncio.Protocol):
    """Turns a client away in the server's words."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  (for the type checker)
        transport.write(texts.TOO_MANY_CLIENTS)
        transport.close()


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
    return servers, bound


async def _listen_at(place: Address | str, doorman: Doorman) -> list[asyncio.Server]:
    try:
        return await (_listen_path if isinstance(place, str) else _listen)(place, doorman)  # type: ignore[arg-type]
    except OSError as error:
        raise OSError(error.errno, f"{place}: {os.strerror(error.errno or 0)}") from None


async def _listen(place: Address, doorman: Doorman) -> list[asyncio.Server]:
    loop = asyncio.get_running_loop()
    if place.host != "localhost":
        return [await loop.create_server(doorman, place.host or None, place.port, backlog=_BACKLOG)]
    first = await loop.create_server(doorman, "127.0.0.1", place.port, backlog=_BACKLOG)
    port = first.sockets[0].getsockname()[1]
    servers = [first]
    try:
        servers.append(await loop.create_server(doorman, "::1", port, backlog=_BACKLOG))
    except OSError as error:
        if error.errno not in _NO_IPV6:
            first.close()
            raise
    return servers


async def _listen_path(path: str, doorman: Doorman) -> list[asyncio.Server]:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)  # left by a process that was killed
    return [await asyncio.get_running_loop().create_unix_server(doorman, path, backlog=_BACKLOG)]


def remove_paths(where: Sequence[Address | str]) -> None:
    """Remove the socket files of *where*, which no listener does by itself before Python 3.13."""
    for place in where:
        if isinstance(place, str):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)


def _name(sock: socket.socket) -> str:
    name = sock.getsockname()
    return f"unix:{name}" if isinstance(name, str) else str(Address(*name[:2]))
