"""A listener that strangers cannot fill: what they can make it hold is counted, connections and bytes.

Whatever they send and however many come at once, they hold at most `MOST` connections, each of them with

- three times `_UNREAD` of a request that has not begun: as it came, its headers as bytes and as text;
- three times `_READ` of its body: aiohttp stops reading at two, and the last read may come on top.

That is 128 * (3 * 48 + 3 * 8) KiB = 21 MiB, besides the beginnings of bodies, which are for the application
to count. The kernel holds up to 16 MiB more for them.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from podmates_common.parse import Address

MOST = 128  # connections
_ACCEPTED = (
    64  # connections in one turn of the loop; so many descriptors may be open beyond MOST for a moment
)
_READ = 8 * 1024  # bytes at a time
_UNREAD = 48 * 1024  # bytes before a request has begun: its headers, with what comes of a body meanwhile
_BUFFER = 64 * 1024  # bytes that the kernel gathers of each, and as much again for its own book-keeping
_KEEP_ALIVE = 75.0  # seconds
_LINGER = 2.0  # seconds in which the rest of a body that was refused is thrown away

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Crowd:
    """An application listening, until it is stopped.

    Attributes:
        addresses: as bound: port 0 has become a number.
    """

    def __init__(self, runner: web.AppRunner, server: asyncio.Server) -> None:
        self._runner, self._server = runner, server
        self.addresses = [Address(*listener.getsockname()[:2]) for listener in server.sockets]

    async def stop(self) -> None:
        """Close the listener and, within a second, the connections."""
        self._server.close()
        await asyncio.shield(self._runner.cleanup())


async def start(app: web.Application, address: Address, trusted: Collection[object]) -> Crowd:
    """Listen on *address*; when it is full, the oldest connection makes room for the newest.

    Bodies are not decompressed: signatures are over what was sent, and it might be a bomb.

    Args:
        trusted: connections that stay whatever comes.

    Raises:
        OSError: it cannot be bound.
    """
    app.middlewares.append(_begun)
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
    guests = _Guests(handlers, trusted)
    server = await asyncio.get_running_loop().create_server(
        guests.come, address.host or None, address.port, reuse_address=True, backlog=_ACCEPTED
    )
    for listener in server.sockets:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    return Crowd(runner, server)


class _Guests:
    """Those who are here, the oldest first.

    asyncio tells of a hundred who came before it tells of one who left: so they are counted here, and whoever
    has to go counts no more from then on.
    """

    def __init__(self, handlers: Callable[[], RequestHandler], trusted: Collection[object]) -> None:
        self.handlers = handlers
        # what is read of any of them; emptied before the next is read
        self.buffer = memoryview(bytearray(_READ))
        self._trusted = trusted
        self._here: dict[_Guest, None] = {}

    def come(self) -> _Guest:
        guest = _Guest(self)
        if len(self._here) >= MOST:
            oldest = next((each for each in self._here if each.handler not in self._trusted), None)
            if oldest is not None:
                oldest.go()
        self._here[guest] = None
        return guest

    def leave(self, guest: _Guest) -> None:
        self._here.pop(guest, None)


class _Guest(asyncio.BufferedProtocol):
    """A connection, between asyncio and aiohttp."""

    def __init__(self, guests: _Guests) -> None:
        self.handler: RequestHandler | None = None
        self._guests = guests
        self._transport: asyncio.Transport | None = None
        self._gone = False
        self._body: StreamReader = EMPTY_PAYLOAD
        self._unread = 0

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
        self.handler = self._guests.handlers()
        self.handler.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._guests.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._gone or self.handler is None:
            return
        self._unread = self._unread + nbytes if self._body.is_eof() else 0
        if self._unread > _UNREAD:
            self.go()
            return
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
        self._guests.leave(self)
        if self.handler is not None:
            self.handler.connection_lost(exc)


@web.middleware
async def _begun(request: web.Request, handler: _Handler) -> web.StreamResponse:
    if request.transport is None:  # gone, or sent away, before its turn came
        return web.Response(status=400)
    guest = request.transport.get_protocol()
    if isinstance(guest, _Guest):
        guest.begun(request.content)
    return await handler(request)


def _is_ours(record: logging.LogRecord) -> bool:
    """Keep strangers from filling the log with what is no HTTP."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
