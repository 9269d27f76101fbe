"""A listener that strangers cannot fill: when it is full, the oldest connection makes room for the newest."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from podmates_common.parse import Address

MOST = 128  # connections
_BUFFER = 64 * 1024  # bytes that the kernel gathers of each, so that all at once are not many
_KEEP_ALIVE = 75.0  # seconds
_LINGER = 2.0  # seconds in which the rest of a body that was refused is thrown away


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
    """Listen on *address*.

    Bodies are not decompressed: signatures are over what was sent, and it might be a bomb.

    Args:
        trusted: connections that stay whatever comes.

    Raises:
        OSError: it cannot be bound.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=1.0,
        keepalive_timeout=_KEEP_ALIVE,
        lingering_time=_LINGER,
        auto_decompress=False,
    )
    await runner.setup()
    handlers = runner.server
    assert handlers is not None  # noqa: S101 - set up above

    def connected() -> RequestHandler:
        crowd = handlers.connections
        if len(crowd) >= MOST:
            _make_room(crowd, trusted)
        return handlers()

    server = await asyncio.get_running_loop().create_server(
        connected, address.host or None, address.port, reuse_address=True
    )
    for listener in server.sockets:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    return Crowd(runner, server)


def _make_room(crowd: list[RequestHandler], trusted: Collection[object]) -> None:
    for oldest in crowd:
        if oldest not in trusted and oldest.transport is not None:
            oldest.transport.abort()
            return
