"""HTTP for probes and scrapes: ``/livez /readyz /startupz /metrics /version``.

Import late: aiohttp is the largest part of a service that does not serve HTTP otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from aiohttp import web
from prometheus_client.registry import CollectorRegistry

from podmates_common.exposition import exposed
from podmates_common.health import Health, Kind

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
