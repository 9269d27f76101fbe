"""The HTTP endpoint, in a thread of its own; imported only when there is one, for aiohttp's sake."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from aiohttp import web

from podmates_common.admin import Server
from podmates_common.parse import Address
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.reports.exposition import CONTENT_TYPE, Counts, render
from podmates_gitsync.sync.loop import State

NOT_READY = "repo is not ready\n"


class Repository(Protocol):
    """What is told of a repository."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def metrics(self) -> Metrics: ...


def application(repositories: Sequence[Repository], *, metrics: bool) -> web.Application:
    """Return git-sync's endpoint: every path says whether all had a first success; `/metrics` on demand."""

    async def state(_: web.Request) -> web.Response:
        ready = all(repository.state.ready.is_set() for repository in repositories)
        return web.Response() if ready else web.Response(status=503, text=NOT_READY)

    app = web.Application(client_max_size=64 * 1024)
    if metrics:
        counts = Counts({repository.name: repository.metrics for repository in repositories})

        async def text(_: web.Request) -> web.Response:
            return web.Response(body=render(counts).encode(), headers={"Content-Type": CONTENT_TYPE})

        app.router.add_route("*", "/metrics", text)
    app.router.add_route("*", "/{path:.*}", state)
    return app


def serve(app: web.Application, address: Address, died: Callable[[], None]) -> list[Address]:
    """Listen on *address* in a thread; return where, as bound. *died* is called when it ends, ever.

    Raises:
        OSError: it cannot be bound.
    """
    bound: Future[list[Address]] = Future()

    async def body() -> None:
        try:
            server = await Server.start(app, [address])
        except BaseException as error:
            bound.set_exception(error)
            raise
        bound.set_result(server.addresses)
        await asyncio.Event().wait()

    def thread() -> None:
        try:
            asyncio.run(body())
        except OSError:
            if not bound.done() or bound.exception() is None:
                raise
        finally:
            died()

    threading.Thread(target=thread, name="http", daemon=True).start()
    return bound.result()
