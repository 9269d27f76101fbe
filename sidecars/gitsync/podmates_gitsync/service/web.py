"""The HTTP endpoint, in a thread of its own; imported only when there is one, for aiohttp's sake."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from podmates_common import crowd
from podmates_common.parse import Address
from podmates_gitsync import threads
from podmates_gitsync.git.refs import default_link
from podmates_gitsync.reports.exposition import CONTENT_TYPE, Counts, render
from podmates_gitsync.sync.state import Repository

NOT_READY = "repo is not ready\n"
Handler = Callable[[web.Request], Awaitable[web.Response]]


def application(
    repositories: Sequence[Repository],
    *,
    metrics: bool,
    status: bool = False,
    profiles: Sequence[str] | None = None,
    more: Callable[[web.Application], None] = lambda _: None,
) -> web.Application:
    """Return git-sync's endpoint: every path says whether all had a first success, and `/metrics` on demand.

    Beyond git-sync: `/status` on demand, and where staleness has a limit `/livez` and `/readyz` mind it.

    Args:
        profiles: the command line to show on `/debug/pprof/`, which is there only with it.
        more: adds paths that others answer on.
    """

    app = web.Application(client_max_size=64 * 1024)
    more(app)
    if metrics:
        app.router.add_route("*", "/metrics", _metrics(repositories))
    if status:
        app.router.add_route("*", "/status", _told(repositories))
    if any(repository.settings.max_staleness > 0 for repository in repositories):
        app.router.add_route("*", "/livez", _live(repositories))
        app.router.add_route("*", "/readyz", _fresh(repositories))
    if profiles is not None:
        from podmates_gitsync.reports.profiles import routes

        app.add_routes(routes(profiles))
    app.router.add_route("*", "/{path:.*}", _state(repositories))
    return app


def _state(repositories: Sequence[Repository]) -> Handler:
    async def state(_: web.Request) -> web.Response:
        ready = all(repository.state.ready.is_set() for repository in repositories)
        return web.Response() if ready else web.Response(status=503, text=NOT_READY)

    return state


def _live(repositories: Sequence[Repository]) -> Handler:
    async def live(_: web.Request) -> web.Response:
        stale = [calling(repository) for repository in repositories if is_stale(repository)]
        return web.Response(status=503, text=f"stale: {', '.join(stale)}\n") if stale else web.Response()

    return live


def _fresh(repositories: Sequence[Repository]) -> Handler:
    state, live = _state(repositories), _live(repositories)

    async def fresh(request: web.Request) -> web.Response:
        answer = await state(request)
        return answer if answer.status != 200 else await live(request)

    return fresh


def _told(repositories: Sequence[Repository]) -> Handler:
    async def told(_: web.Request) -> web.Response:
        return web.json_response({"version": 1, "repositories": [tell(each) for each in repositories]})

    return told


def _metrics(repositories: Sequence[Repository]) -> Handler:
    counts = Counts({repository.name: repository.metrics for repository in repositories})

    async def text(_: web.Request) -> web.Response:
        return web.Response(body=render(counts).encode(), headers={"Content-Type": CONTENT_TYPE})

    return text


def is_stale(repository: Repository) -> bool:
    """Return whether the last success is too long ago; where nothing can change any more it never is."""
    state = repository.state
    return not state.parked and state.status.stale(time.monotonic(), repository.settings.max_staleness)


def tell(repository: Repository) -> dict[str, Any]:
    """Return what `/status` says of it."""
    settings, told = repository.settings, repository.state.status.told(_moment)
    rejected = told.pop("rejected")
    front = {
        "name": calling(repository),
        "repo": repository.log.cleaned(settings.repo),
        "ref": settings.ref,
        "state": repository.state.shown,
    }
    return {**front, **told, "stale": is_stale(repository), "rejected": rejected}


def calling(repository: Repository) -> str:
    """Return its name, or what it would be called among several."""
    return repository.name or default_link(repository.settings.repo).removesuffix(".git")


def _moment(seconds: float) -> str:
    """Return RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def serve(
    app: web.Application, address: Address, died: Callable[[], None], *, trusted: Collection[object] = ()
) -> list[Address]:
    """Listen on *address* in a thread; return where, as bound. *died* is called when it ends after that.

    Args:
        trusted: connections that stay whatever comes.

    Raises:
        OSError: it cannot be bound, or there is no room for a thread.
    """
    bound: Future[list[Address]] = Future()

    async def body() -> None:
        try:
            server = await crowd.start(app, [address], trusted)
        except BaseException as error:
            bound.set_exception(error)
            raise
        bound.set_result(server.addresses)
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop()

    def thread() -> None:
        try:
            asyncio.run(body())
        except asyncio.CancelledError:
            pass  # told by `died`
        except OSError:
            if not bound.done() or bound.exception() is None:
                raise
        finally:
            if bound.done() and bound.exception() is None:
                died()

    threads.start(thread, name="http")
    return bound.result()
