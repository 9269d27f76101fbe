"""The push receiver: requests in, decisions of the cores out; imported only when there is one, for aiohttp.

A body is checked while it comes and only its beginning is kept: slow senders of large bodies cost little.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from podmates_gitsync.govalues import duration
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.push import checks, providers
from podmates_gitsync.push.checks import Check
from podmates_gitsync.push.limits import Deliveries, Failures, Memory
from podmates_gitsync.push.providers import Verdict
from podmates_gitsync.push.secrets import PushSecrets
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.sync.state import State

LARGEST = 25 << 20  # bytes of a body; GitHub's own limit
KEPT = 1 << 20  # bytes of a body that are kept to be read; a longer one is only checked
_TOTAL = 8 << 20  # bytes of all bodies that are being received
_PATIENCE = 30.0  # seconds for a whole body; senders give up after 10
_LONGEST_WAIT = 600.0  # seconds
_SHOWN = 200  # characters of a ref, in the log


@dataclass(frozen=True, slots=True)
class Target:
    """A repository that pushes are for."""

    name: str  # empty when it is the only one
    ref: str
    provider: str
    secrets: PushSecrets
    state: State
    metrics: Metrics
    log: Log
    deliveries: Deliveries = field(default_factory=Deliveries)


class _TooLarge(Exception):
    pass


class Receiver:
    """Answers on the paths of *targets*; `add_to` registers it.

    Attributes:
        trusted: connections whose callers have proved themselves and wait for an answer.
    """

    def __init__(self, path: str, targets: Sequence[Target]) -> None:
        self._path, self._targets = path.rstrip("/"), targets
        self.trusted: set[object] = set()
        self._failures, self._memory = Failures(), Memory(_TOTAL)

    def add_to(self, app: web.Application) -> None:
        """Add the receiver's paths to *app*."""
        for target in self._targets:
            end = f"/{target.name}" if target.name else ""
            app.router.add_route("*", f"{self._path}{end}" or "/", partial(self._push, target))
            if target.name:
                app.router.add_route("*", f"/sync{end}", partial(self._sync, [target]))
        app.router.add_route("*", "/sync", partial(self._sync, self._targets))

    async def _push(self, target: Target, request: web.Request) -> web.Response:
        headers = _lowered(request)
        provider = providers.recognise(headers, target.provider)
        if request.method != "POST":
            return self._answer(target, provider.name, Verdict(405, "method_not_allowed"))
        if (request.content_length or 0) > LARGEST:
            return self._answer(target, provider.name, Verdict(413, "too_large"))
        if "content-encoding" in headers or not providers.takes(provider, headers):
            return self._answer(target, provider.name, Verdict(415, "unsupported_media_type"))
        check = provider.check(headers, target.secrets.current(), time.time())
        if check.hopeless:
            harmless = providers.is_unsigned_ping(provider, headers)
            verdict = Verdict(200, "ping") if harmless else self._refused(request)
            return self._answer(target, provider.name, verdict)
        try:
            async with asyncio.timeout(_PATIENCE):
                body = await self._received(request, check)
        except TimeoutError:
            return self._answer(target, provider.name, Verdict(408, "too_slow"))
        except _TooLarge:
            return self._answer(target, provider.name, Verdict(413, "too_large"))
        except (OSError, web.RequestPayloadError) as error:  # the sender went, or this is no HTTP
            # It is kept at the request, and would keep the request: a circle with all that was read.
            error.__traceback__ = None
            return self._answer(target, provider.name, Verdict(400, "incomplete"))
        if not check.holds():
            return self._answer(target, provider.name, self._refused(request))
        verdict = providers.judge(provider, headers, body, target.ref)
        return self._answer(target, provider.name, _taken(target, provider.name, verdict))

    async def _received(self, request: web.Request, check: Check) -> bytes | None:
        """Return the body, None when it is longer than what is kept of one or there is no room for it."""
        kept, size, keeping = bytearray(), 0, True
        try:
            async for data in request.content.iter_any():
                size += len(data)
                if size > LARGEST:
                    raise _TooLarge
                check.feed(data)
                if not keeping:
                    continue
                keeping = size <= KEPT and self._memory.take(len(data))
                if keeping:
                    kept += data
                else:
                    self._memory.give(len(kept))
                    kept = bytearray()
            return bytes(kept) if keeping else None
        finally:
            self._memory.give(len(kept))

    def _refused(self, request: web.Request) -> Verdict:
        wait = self._failures.failed(request.remote or "", time.monotonic())
        return Verdict(401, "unauthorized") if wait is None else Verdict(429, "rate_limited", wait=wait)

    def _answer(self, target: Target, provider: str, verdict: Verdict) -> web.Response:
        target.metrics.pushed(provider, verdict.result)
        target.log.info(
            1 if verdict.status == 202 else 2,
            "push",
            provider=provider,
            result=verdict.result,
            ref=verdict.ref[:_SHOWN],
        )
        return _response(verdict)

    async def _sync(self, targets: Sequence[Target], request: web.Request) -> web.Response:
        if request.method != "POST":
            return _response(Verdict(405, "method_not_allowed"))
        headers, now = _lowered(request), time.time()
        ours = [each for each in targets if checks.bearer(headers, each.secrets.current(), now).holds()]
        if not ours:
            return _response(self._refused(request))
        try:
            seconds = duration(request.query.get("wait", "0"))
        except ValueError as error:
            return web.Response(status=400, text=f"wait: {error}\n")
        force = request.query.get("force") == "1"
        if seconds <= 0:
            for target in ours:
                target.state.wishes.push(force=force)
            ended = [target.name for target in ours if target.state.ended]
            return _ended(ended) if ended else _response(Verdict(202, "queued"))
        self.trusted.add(request.protocol)
        try:
            return await _synced(ours, min(seconds, _LONGEST_WAIT), force)
        finally:
            self.trusted.discard(request.protocol)


def _taken(target: Target, provider: str, verdict: Verdict) -> Verdict:
    """Hand a push on, unless it was here before."""
    if verdict.status != 202:
        return verdict
    if target.state.ended:
        return verdict._replace(status=503, result="ended")
    if verdict.delivery and target.deliveries.repeated(provider, verdict.delivery, verdict.commit):
        return verdict._replace(status=200, result="repeated")
    target.state.wishes.push(verdict.commit)
    return verdict


async def _synced(targets: Iterable[Target], seconds: float, force: bool) -> web.Response:
    """Return 200 when all have published what their servers had when they were asked, 504 after *seconds*.

    503 when one has ended without, as soon as all others have.
    """
    loop, waiting = asyncio.get_running_loop(), []
    for target in targets:
        future: asyncio.Future[str] = loop.create_future()
        done = partial(_finish, loop, future)
        target.state.wishes.push(done=done, force=force)
        if target.state.parked or target.state.ended:  # what it wants is there, or will never be
            future.set_result(target.state.status.hash if target.state.parked else "")
        waiting.append((target, future, done))
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(future for _, future, _ in waiting))
    except TimeoutError:
        return web.Response(status=504, text="not published in time\n")
    finally:
        for target, _, done in waiting:
            target.state.wishes.forget(done)
    ended = [target.name for target, future, _ in waiting if not future.result()]
    return _ended(ended) if ended else web.Response(text="published\n")


def _ended(names: Sequence[str]) -> web.Response:
    """Return 503: no sync follows for them, whatever is pushed; the others are synced."""
    return web.Response(status=503, text=f"ended: {', '.join(names)}\n")


def _finish(loop: asyncio.AbstractEventLoop, future: asyncio.Future[str], commit: str) -> None:
    """Tell the future, in the loop's own thread; the loop may have ended meanwhile."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: None if future.done() else future.set_result(commit))


def _lowered(request: web.Request) -> dict[str, str]:
    """Return the headers with names in lower case; of several with one name the first counts."""
    return {name.lower(): value for name, value in reversed(list(request.headers.items()))}


def _response(verdict: Verdict) -> web.Response:
    headers = {}
    if verdict.status == 429:
        headers["Retry-After"] = str(verdict.wait)
    elif verdict.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif verdict.status == 405:
        headers["Allow"] = "POST"
    return web.Response(status=verdict.status, text=verdict.result.replace("_", " ") + "\n", headers=headers)
