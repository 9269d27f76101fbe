"""Who may be at the web port: so many connections, of which those that are being answered stay.

Without that whoever opens connections and says nothing, or has slow targets probed, keeps scrapes out.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence, Set

from aiohttp import web

from podmates_common import crowd
from podmates_common.parse import Address
from podmates_metrics.statsd.streams import share

_MOST = 512  # connections, if the process may have three times as many descriptors
# Of these one in so many stays while it is probed for, and as many while they wait for another page.
_KEPT = 8
_PROBE = "/probe"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Answering(Set[object]):
    """Connections that have got a request through and wait for its answer, of each kind a limited number."""

    def __init__(self) -> None:
        self.most = min(_MOST, share())
        self._probes: set[object] = set()
        self._pages: set[object] = set()

    def __contains__(self, connection: object) -> bool:
        return connection in self._pages or connection in self._probes

    def __iter__(self) -> Iterator[object]:
        return iter(self._pages | self._probes)

    def __len__(self) -> int:
        return len(self._pages) + len(self._probes)

    @web.middleware
    async def keep(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keep the connection of *request* until it is answered, if there is room for its kind."""
        kind, connection = self._probes if request.path == _PROBE else self._pages, request.protocol
        if len(kind) < self.most // _KEPT:
            kind.add(connection)
        try:
            return await handler(request)
        finally:
            kind.discard(connection)


async def serve(
    app: web.Application, addresses: Sequence[Address], *, secure: Callable[[], ssl.SSLContext] | None
) -> crowd.Crowd:
    """Serve *app*, whose own middlewares decide who gets through.

    Raises:
        OSError: an address cannot be bound.
    """
    answering = Answering()
    app.middlewares.append(answering.keep)
    return await crowd.start(app, addresses, answering, most=answering.most, secure=secure)
