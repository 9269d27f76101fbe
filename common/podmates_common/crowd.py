"""A listener that strangers cannot fill: what they can make it hold is counted, connections and bytes.

Whatever they send and however many come at once, they hold at most `MOST` connections, or as many as the
application says, each of them with

- three times `_UNREAD` of a request that has not begun: as it came, its headers as bytes and as text;
- three times `_READ` of its body: aiohttp stops reading at two, and the last read may come on top.

That is 3 * 48 + 3 * 8 = 168 KiB for each, 21 MiB for 128, besides the beginnings of bodies, which are for the
application to count, and what TLS has. The kernel holds up to 128 KiB more for each.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from podmates_common.parse import Address

MOST = 128  # connections
# Connections in one turn of the loop; so many descriptors may be open beyond the most for a moment.
_ACCEPTED = 64
_READ = 8 * 1024  # bytes at a time
_UNREAD = 48 * 1024  # bytes before a request has begun: its headers, with what comes of a body meanwhile
_BUFFER = 64 * 1024  # bytes that the kernel gathers of each, and as much again for its own book-keeping
_KEEP_ALIVE = 75.0  # seconds
_LINGER = 2.0  # seconds in which the rest of a body that was refused is thrown away
_GREETING = 10.0  # seconds for the beginning of TLS

T = TypeVar("T")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Crowd:
    """An application listening, until it is stopped.

    Attributes:
        addresses: as bound: port 0 has become a number.
    """

    def __init__(self, runner: web.AppRunner, guests: _Guests) -> None:
        self._runner, self._guests = runner, guests
        self._servers: list[asyncio.Server] = []
        self.addresses: list[Address] = []

    async def listen(self, address: Address) -> None:
        """Listen there, too. Raises OSError: it cannot be bound."""
        server = await asyncio.get_running_loop().create_server(
            self._guests.come, address.host or None, address.port, reuse_address=True, backlog=_ACCEPTED
        )
        self._servers.append(server)
        for listener in server.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self.addresses.append(Address(*listener.getsockname()[:2]))

    async def stop(self) -> None:
        """Close the listeners and, within a second, the connections."""
        for server in self._servers:
            server.close()
        self._guests.close()
        await asyncio.shield(self._runner.cleanup())


async def start(
    app: web.Application,
    addresses: Sequence[Address],
    trusted: Collection[object],
    *,
    most: int = MOST,
    secure: Callable[[], ssl.SSLContext] | None = None,
) -> Crowd:
    """Listen on every address; when *most* are here, the oldest connection makes room for the newest.

    Bodies are not decompressed: signatures are over what was sent, and it might be a bomb.

    Args:
        trusted: connections that stay whatever comes: fewer than *most*.
        secure: by TLS, with what it returns for each connection.

    Raises:
        OSError: one cannot be bound; nothing listens then.
    """
    app.middlewares.insert(0, _begun)
    server_logger.addFilter(_is_ours)
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=1.0,
        keepalive_timeout=_KEEP_ALIVE,
        lingering_time=_LINGER,
        read_bufsize=_READ,
        auto_decompress=False,
    )
    await runner.setup()
    handlers = runner.server
    assert handlers is not None  # noqa: S101 - set up above
    crowd = Crowd(runner, _Guests(handlers, trusted, most, secure))
    try:
        for address in addresses:
            await crowd.listen(address)
    except BaseException:
        await crowd.stop()
        raise
    return crowd


async def while_here(request: web.Request, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what *work* returns; when the client has gone before that, *work* is ended: None."""
    guest = request.transport.get_protocol() if request.transport is not None else None
    task = asyncio.ensure_future(work)
    if request.transport is None:
        task.cancel()
    elif isinstance(guest, _Guest):
        guest.work = task
    try:
        return await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():  # it is us who are ended
            raise
        return None
    finally:
        if isinstance(guest, _Guest):
            guest.work = None


class _Guests:
    """Those who are here, the oldest first.

    asyncio tells of a hundred who came before it tells of one who left: so they are counted here, and whoever
    has to go counts no more from then on.
    """

    def __init__(
        self,
        handlers: Callable[[], RequestHandler],
        trusted: Collection[object],
        most: int,
        secure: Callable[[], ssl.SSLContext] | None,
    ) -> None:
        self.handlers, self.secure, self._most = handlers, secure, most
        # what is read of any of them; emptied before the next is read
        self.buffer = memoryview(bytearray(_READ))
        self._trusted = trusted
        self._here: dict[_Guest, None] = {}

    def come(self) -> _Guest:
        guest = _Guest(self)
        if len(self._here) >= self._most:
            oldest = next((each for each in self._here if each.handler not in self._trusted), None)
            if oldest is not None:
                oldest.go()
        self._here[guest] = None
        return guest

    def leave(self, guest: _Guest) -> None:
        self._here.pop(guest, None)

    def close(self) -> None:
        """Send those away whom no handler knows yet."""
        for guest in [guest for guest in self._here if guest.handler is None]:
            guest.go()


class _Guest(asyncio.BufferedProtocol):
    """A connection, between asyncio and aiohttp."""

    def __init__(self, guests: _Guests) -> None:
        self.handler: RequestHandler | None = None
        self._guests = guests
        self._transport: asyncio.Transport | None = None
        self._gone = False
        self._body: StreamReader = EMPTY_PAYLOAD
        self._unread = 0
        self._early = b""  # came before there was a handler
        self.work: asyncio.Future[Any] | None = None  # that only this client wants
        self._greeting: asyncio.Task[None] | None = None

    def go(self) -> None:
        """Be here no more: for those who count at once, for the socket in the next turn."""
        self._gone = True
        self._guests.leave(self)
        if self._transport is not None:
            self._transport.abort()

    def begun(self, body: StreamReader) -> None:
        """Know that a request is being answered; its *body* is read only as fast as it is wanted."""
        self._body, self._unread = body, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a stream
        self._transport = transport
        if self._gone:
            transport.abort()
            return
        if self._guests.secure is None:
            self._meet(transport)
        else:
            # Not by the listener, which would not let go of who never begins: it is counted only afterwards.
            self._greeting = asyncio.create_task(self._encrypt(transport, self._guests.secure()))

    async def _encrypt(self, transport: asyncio.Transport, secure: ssl.SSLContext) -> None:
        made: asyncio.BaseTransport | None = None
        with suppress(OSError):  # no TLS, or not within the time
            made = await asyncio.get_running_loop().start_tls(
                transport, self, secure, server_side=True, ssl_handshake_timeout=_GREETING
            )
        if self._gone or made is None or made.is_closing():
            self.go()
        else:
            assert isinstance(made, asyncio.Transport)  # noqa: S101 - of a stream
            self._transport = made
            self._meet(made)

    def _meet(self, transport: asyncio.Transport) -> None:
        self.handler = self._guests.handlers()
        self.handler.connection_made(transport)
        if self._early:
            self.handler.data_received(self._early)
            self._early = b""

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._guests.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._gone:
            return
        self._unread = self._unread + nbytes if self._body.is_eof() else 0
        if self._unread > _UNREAD:
            self.go()
            return
        if self.handler is None:
            self._early += bytes(self._guests.buffer[:nbytes])
        else:
            self.handler.data_received(bytes(self._guests.buffer[:nbytes]))

    def eof_received(self) -> None:
        if self.handler is not None:
            self.handler.eof_received()

    def pause_writing(self) -> None:
        if self.handler is not None:
            self.handler.pause_writing()

    def resume_writing(self) -> None:
        if self.handler is not None:
            self.handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        self._guests.leave(self)
        if self.work is not None:
            self.work.cancel()
        if self.handler is not None:
            self.handler.connection_lost(exc)


@web.middleware
async def _begun(request: web.Request, handler: _Handler) -> web.StreamResponse:
    if request.transport is None:  # gone, or sent away, before its turn came
        return web.Response(status=400)
    guest = request.transport.get_protocol()
    if isinstance(guest, _Guest):
        guest.begun(request.content)
    try:
        return await handler(request)
    except ConnectionError:  # aiohttp takes it for a fault of ours when a handler writes its answer itself
        if request.transport is not None and not request.transport.is_closing():
            raise
        return web.Response(status=400)


def _is_ours(record: logging.LogRecord) -> bool:
    """Keep strangers from filling the log with what is no HTTP."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
