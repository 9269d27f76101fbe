"""Connections that StatsD lines come in by: TCP, and a unix socket."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

from podmates_common.parse import Address
from podmates_metrics.statsd.framing import Either, Newlines
from podmates_metrics.statsd.listeners import Feed, remove_stale, unix_name


class Streams:
    """A listener for connections; counts what they did.

    *most* connections are open at once, further ones are closed and are errors: by default a third of the
    descriptors that the process may have, so that strangers leave enough for the web port and the sources.
    """

    def __init__(self, feed: Feed, most: int = 0) -> None:
        self.most = most or share()
        self.connections = self.errors = self.too_long = 0
        self.feed = feed
        self.open: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None
        self._path = ""

    async def tcp(self, where: Address) -> None:
        """Listen on *where* for lines that end in newlines.

        Raises:
            OSError: the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        make = self._making(Newlines)
        self._server = await loop.create_server(make, *where, reuse_address=True, backlog=1024)

    async def unix(self, path: str, mode: int | None) -> None:
        """Listen on the socket file *path* for lines or frames; one that nobody answers on is replaced.

        Raises:
            OSError: somebody listens there, or the file cannot be made.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            remove_stale(path, socket.SOCK_STREAM)
            sock.bind(unix_name(path))
            if not path.startswith("@"):
                self._path = path
                if mode is not None:
                    os.chmod(path, mode)
        except OSError:
            sock.close()
            raise
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._making(Either), sock=sock, backlog=1024)

    def _making(self, framing: type[Newlines] | type[Either]) -> Callable[[], _Stream]:
        return lambda: _Stream(self, framing())

    @property
    def address(self) -> Address:
        """Where it listens: port 0 has become a number."""
        assert self._server is not None  # noqa: S101
        return Address(*self._server.sockets[0].getsockname()[:2])

    def close(self) -> None:
        """Stop listening and close every connection; a line without its end is taken as it is."""
        if self._server is not None:
            self._server.close()
        for transport in list(self.open):
            transport.close()
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)


def share() -> int:
    """Return how many of the descriptors that the process may have each listener of connections gets."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else max(soft // 3, 1)


class _Stream(asyncio.Protocol):
    """One connection: whole lines go on, the rest waits for its end."""

    def __init__(self, owner: Streams, framing: Newlines | Either) -> None:
        self._owner, self._framing = owner, framing
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self._owner.connections += 1
        if len(self._owner.open) >= self._owner.most:
            self._owner.errors += 1
            transport.abort()
            return
        self._owner.open.add(transport)

    def data_received(self, data: bytes) -> None:
        if self._framing.broken:
            return
        lines = self._framing.take(data)
        if lines is not None:
            self._owner.feed(lines)
        if self._framing.broken and self._transport is not None:
            self._owner.too_long += 1
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._owner.open.discard(self._transport)
        if error is not None:
            self._owner.errors += 1
        rest = self._framing.rest()
        if rest:
            self._owner.feed(rest)
