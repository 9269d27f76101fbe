"""Where the process listens: git-sync's endpoint and the push receiver, on one address or on two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from aiohttp import web as aio

from podmates_common import parse
from podmates_common.parse import Address
from podmates_gitsync.errors import StartError
from podmates_gitsync.flags.load import Command, flag_lines, goes_beyond
from podmates_gitsync.push.opening import receiver
from podmates_gitsync.push.receiver import Receiver
from podmates_gitsync.service import web
from podmates_gitsync.service.worker import Shared, Worker


def start(command: Command, workers: Sequence[Worker], shared: Shared, died: Callable[[], None]) -> None:
    """Listen, each in a thread of its own; *died* is called when one ends.

    Raises:
        StartError: an address cannot be bound, or the receiver would be open to everybody.
    """
    settings = command.settings
    pushes = receiver(settings.push_path, workers, shared.redactor) if settings.push_bind else None
    together = settings.push_bind and _same(settings.http_bind, settings.push_bind)
    open_on = partial(_serve, shared=shared, died=died, trusted=pushes.trusted if pushes else ())
    if settings.http_bind:
        app = _endpoint(command, workers, pushes if together else None)
        open_on("serving HTTP", settings.http_bind, app)
    if pushes and not together:
        app = aio.Application()
        pushes.add_to(app)
        open_on("receiving pushes", settings.push_bind, app)


def _endpoint(command: Command, workers: Sequence[Worker], pushes: Receiver | None) -> aio.Application:
    settings = command.settings
    return web.application(
        workers,
        metrics=settings.http_metrics,
        status=goes_beyond(command),
        profiles=["git-sync", *flag_lines(command)] if settings.http_pprof else None,
        more=pushes.add_to if pushes else lambda _: None,
    )


def _serve(
    message: str,
    endpoint: str,
    app: aio.Application,
    *,
    trusted: Collection[object],
    shared: Shared,
    died: Callable[[], None],
) -> None:
    try:
        bound = web.serve(app, _address(endpoint), died, trusted=trusted)
    except OSError as error:
        raise StartError(f"cannot bind HTTP to {endpoint}: {error}") from None
    shared.log.info(0, message, endpoint=endpoint, addresses=[str(address) for address in bound])


def _address(text: str) -> Address:
    try:
        return parse.address(text)
    except ValueError as error:
        raise StartError(f"cannot bind HTTP to {text}: {error}") from None


def _same(one: str, other: str) -> bool:
    return bool(one) and _address(one) == _address(other)
