"""The web port: the page of metrics, statsd_exporter's paths and the family's probes.

Import late: aiohttp is the largest part of the adapter.
"""

from __future__ import annotations

import html
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client.registry import CollectorRegistry

from podmates_common.admin import About, routes
from podmates_common.crowd import while_here
from podmates_common.health import Health
from podmates_metrics.exposition.negotiation import Choice, choose, patience
from podmates_metrics.paging import send
from podmates_metrics.readers import Crowded, Reader

RELOADED = "Configuration reload requested.\n"
HEALTHY = "Statsd Exporter is Healthy.\n"
JMX_HEALTHY = "Exporter is healthy."  # what the standalone jmx_exporter says
READY = "Statsd Exporter is Ready.\n"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Scraped = AbstractAsyncContextManager[tuple[AsyncGenerator[bytes, None], Reader]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What the web port serves."""

    health: Health
    about: About
    telemetry: str  # path of the metrics
    # pieces of the page; the scraper waits for at most these seconds
    scrape: Callable[[float | None, Choice], Scraped]
    openmetrics: Callable[[], bool]  # whether it is offered
    utf8: Callable[[], bool]  # whether there may be names that not every scraper knows
    healthy: str  # what /-/healthy says
    # returns why it failed, empty when it did not; None: not offered
    reload: Callable[[], Awaitable[str]] | None
    quit: Callable[[], None] | None
    trials: bool  # offer /-/try
    guard: Middleware  # lets requests through
    ready: Callable[[], str]  # why /-/ready says no; empty: it says yes
    probe: Callable[[], Handler | None] = lambda: None  # json_exporter's /probe; None: there is no module
    standalone: bool = False  # as jmx_exporter: unknown paths are the landing page, /metrics is always there


def application(pages: Pages) -> web.Application:
    """Return the application; unknown paths are 404, as statsd_exporter has it, unless it is *standalone*."""
    app = web.Application(client_max_size=64 * 1024, middlewares=[pages.guard])
    family = routes(pages.health, CollectorRegistry(), pages.about)
    app.add_routes([route for route in family if route.path != "/metrics"])
    add = app.router.add_route
    add("*", "/-/healthy", _fixed(lambda: (200, pages.healthy)))
    add("*", "/-/ready", _fixed(lambda: _ready(pages.ready())))
    if pages.reload is not None:
        add("*", "/-/reload", _reload(pages.reload))
    if pages.trials:
        from podmates_metrics.trial.web import Handler

        app.router.add_post("/-/try", Handler().__call__)
    if pages.quit is not None:
        add("*", "/-/quit", _quit(pages.quit))
    if not pages.standalone:
        add("*", "/probe", _probe(pages.probe))
    if pages.telemetry != "/":
        add("*", "/", _landing(pages.telemetry))
    for path in {pages.telemetry, "/metrics"} if pages.standalone else {pages.telemetry}:
        add("*", path, _metrics(pages))
    if pages.standalone:
        add("*", "/{unknown:.*}", _landing(pages.telemetry))
    return app


def _fixed(answer: Callable[[], tuple[int, str]]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        status, text = answer()
        if request.method not in ("GET", "HEAD"):
            return web.Response()
        return web.Response(text=text, status=status)

    return handle


def _ready(problem: str) -> tuple[int, str]:
    return (503, f"Statsd Exporter is not ready: {problem}\n") if problem else (200, READY)


def _landing(telemetry: str) -> Handler:
    path = html.escape(telemetry)
    page = (
        "<!doctype html><title>podmates metrics adapter</title><h1>podmates metrics adapter</h1>"
        f'<p><a href="{path}">Metrics</a> {path}</p><p><a href="/readyz">Ready?</a></p>\n'
    )

    async def handle(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    return handle


def _probe(probe: Callable[[], Handler | None]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = probe()
        if answer is None:
            raise web.HTTPNotFound
        return await answer(request)

    return handle


def _reload(reload: Callable[[], Awaitable[str]]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        if request.method not in ("POST", "PUT"):
            return web.Response()
        problem = await reload()
        if not problem:
            return web.Response(text=RELOADED)
        line = problem.replace("\r", " ").replace("\n", " ")
        status = 500 if request.query.get("strict") == "1" else 200
        headers = {"X-Reload-Error": line.encode("ascii", "replace").decode()}
        return web.Response(text=f"{RELOADED}failed: {line}\n", status=status, headers=headers)

    return handle


def _quit(quit: Callable[[], None]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        if request.method not in ("POST", "PUT"):
            return web.Response()
        quit()
        return web.Response(text="Requesting termination... Goodbye!\n")

    return handle


def _metrics(pages: Pages) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        accept = ",".join(request.headers.getall("Accept", []))
        choice = choose(accept, openmetrics=pages.openmetrics(), utf8=pages.utf8())
        try:
            async with pages.scrape(patience(request.headers), choice) as (page, reader):
                return await send(request, page, {"Content-Type": choice.content_type}, reader)
        except Crowded:
            raise web.HTTPServiceUnavailable(text="too many pages are being read\n") from None

    async def handle(request: web.Request) -> web.StreamResponse:
        # Else who asks and goes away at once keeps a scrape waiting for its turn, for as long as it says.
        answered = await while_here(request, answer(request))
        return web.Response(status=400) if answered is None else answered

    return handle
