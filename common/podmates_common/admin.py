"""HTTP for probes and scrapes: ``/livez /readyz /startupz /metrics /version``.

Import late: aiohttp is the largest part of a service that does not serve HTTP otherwise.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from aiohttp import web
from prometheus_client.registry import CollectorRegistry

from podmates_common.exposition import exposed
from podmates_common.health import Health, Kind
from podmates_common.parse import Address

_MAX_REQUEST = 64 * 1024  # bytes of a request's body; none of ours has one


class About(NamedTuple):
    """What ``/version`` says."""

    name: str
    version: str
    detail: Mapping[str, str]  # such as {"parser": "compiled"}


async def _nothing() -> None: ...


def routes(
    health: Health,
    registry: CollectorRegistry,
    about: About,
    look: Callable[[], Awaitable[None]] = _nothing,
) -> list[web.RouteDef]:
    """Return the family's routes, for a service to add to its own; a scrape begins with *look*."""

    def answer(kind: Kind) -> web.Response:
        yes, body = health.report(kind)
        return web.Response(text=body, status=200 if yes else 503)

    async def live(_: web.Request) -> web.Response:
        return answer("live")

    async def ready(_: web.Request) -> web.Response:
        return answer("ready")

    async def started(_: web.Request) -> web.Response:
        return answer("started")

    async def metrics(request: web.Request) -> web.Response:
        from prometheus_client.exposition import choose_encoder  # late: it brings servers of its own

        await look()
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=await exposed(registry, encode), headers={"Content-Type": kind})

    async def version(_: web.Request) -> web.Response:
        return web.json_response({"name": about.name, "version": about.version, **about.detail})

    return [
        web.get("/livez", live),
        web.get("/readyz", ready),
        web.get("/startupz", started),
        web.get("/metrics", metrics),
        web.get("/version", version),
    ]


def application(
    health: Health,
    registry: CollectorRegistry,
    about: About,
    look: Callable[[], Awaitable[None]] = _nothing,
) -> web.Application:
    """Return an application that has the family's routes and no other; see `routes`."""
    app = web.Application(client_max_size=_MAX_REQUEST)
    app.add_routes(routes(health, registry, about, look))
    return app


class Server:
    """An application listening on addresses, until it is stopped."""

    def __init__(self, runner: web.AppRunner, addresses: list[Address]) -> None:
        self._runner = runner
        self.addresses = addresses  # as bound: port 0 has become a number

    @classmethod
    async def start(
        cls, app: web.Application, listen: Sequence[Address], *, secure: ssl.SSLContext | None = None
    ) -> Server:
        """Listen on every address of *listen*; by TLS where *secure* is given.

        Raises:
            OSError: one of them cannot be bound; nothing listens then.
        """
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            for host, port in listen:
                site = web.TCPSite(runner, host or None, port, reuse_address=True, ssl_context=secure)
                await site.start()
        except BaseException:
            await runner.cleanup()
            raise
        return cls(runner, [Address(*address[:2]) for address in runner.addresses])

    async def stop(self) -> None:
        """Close the listeners and, within a second, the connections."""
        await asyncio.shield(self._runner.cleanup())
