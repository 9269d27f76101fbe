"""Pushes all figures to an OTLP/HTTP receiver now and then.

Nothing is kept for a later push: sums are cumulative, so the next one says everything again.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp

from podmates_common.files import check_readable, read_small
from podmates_common.logs import Condition
from podmates_metrics.background import aside
from podmates_metrics.otlp.config import Push, printable
from podmates_metrics.otlp.payload import Moment, Piece, bare, pieces, requests
from podmates_metrics.resolving import Resolver
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd.engine import Totals
from podmates_metrics.statsd.store import StoredFamily

log = logging.getLogger(__name__)
LAST = 3.0  # seconds for the push at the end of the process
_MAX_ANSWER = 1 << 16  # bytes of an answer that are looked at


# All families of one moment: StatsD's, the sources' and the adapter's own.
Snapshot = tuple[Sequence[StoredFamily], Mapping[str, Family], Mapping[str, Family]]


class PushProblem(Exception):
    """The receiver did not take it; the text is for the operator and holds no secret."""


class Pusher:
    """One receiver.

    Args:
        push: the section of the file.
        look: returns what there is to tell, after at most so many seconds.
        version: the adapter's.
    """

    def __init__(self, push: Push, look: Callable[[float], Awaitable[Snapshot]], version: str) -> None:
        self._push, self._look, self._version = push, look, version
        self._condition = Condition(log, "otlp")
        self._session: aiohttp.ClientSession | None = None
        self._start = time.time_ns()
        self._resource = {"service.name": "podmates-metrics"} | dict(push.resource)
        if push.identified:
            self._resource.setdefault("service.instance.id", str(uuid.uuid4()))
        self._outcomes: Counter[str] = Counter()
        self._points = self._rejected = 0
        self._succeeded = 0.0

    async def run(self) -> None:
        """Push at once and then once in each interval, until cancelled."""
        due = time.monotonic()
        while True:
            await self.once(self._push.timeout)
            due = max(due + self._push.interval, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def once(self, timeout: float) -> None:
        """Push; a failure is counted and logged, not raised."""
        problem = ""
        try:
            async with asyncio.timeout(timeout):
                await self._all(timeout)
        except TimeoutError:
            problem = f"not done within {timeout:g} s"
        except PushProblem as error:
            problem = str(error)
        except (aiohttp.ClientError, OSError) as error:
            problem = getattr(error, "strerror", None) or type(error).__name__
        except Exception as error:  # a fault of ours; the next push is made all the same
            problem = f"internal error: {type(error).__name__}"
        self._outcomes["failure" if problem else "success"] += 1
        if problem:
            self._condition.fail(problem)
        else:
            self._succeeded = time.time()
            self._condition.ok()

    async def _all(self, timeout: float) -> None:
        stored, others, own = await self._look(timeout / 2)
        if not self._push.suffixes:
            others, own = _bare(others), _bare(own)
        made = pieces(stored, others, own, Moment(self._start, time.time_ns()))
        headers = await aside(self._headers, "otlp headers")
        for request in requests(made, self._resource, self._version):
            if request.points:
                await self._send(request, headers)
            else:
                await asyncio.sleep(0)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "podmates-metrics"}
        if self._push.compression == "gzip":
            headers["Content-Encoding"] = "gzip"
        headers |= dict(self._push.headers)
        for name, path in self._push.header_files:
            try:
                value = read_small(path).decode("ascii").strip()
            except (OSError, ValueError) as error:
                raise PushProblem(f"header file {path}: {type(error).__name__}") from None
            if not printable(value):
                raise PushProblem(f"header file {path}: want one line of printable ASCII characters")
            headers[name] = value
        return headers

    async def _send(self, request: Piece, headers: Mapping[str, str]) -> None:
        body = request.text.encode()
        if self._push.compression == "gzip":
            body = await asyncio.to_thread(gzip.compress, body, 1)
        if self._session is None:
            self._session = await self._open()
        # A redirect could carry the headers to somebody else.
        posted = self._session.post(self._push.endpoint, data=body, headers=headers, allow_redirects=False)
        async with posted as response:
            answer = await response.content.read(_MAX_ANSWER)
            if not 200 <= response.status < 300:
                raise PushProblem(f"answered with HTTP status {response.status}")
        rejected = min(_rejected(answer), request.points)
        self._points += request.points - rejected
        self._rejected += rejected

    async def _open(self) -> aiohttp.ClientSession:
        if not self._push.ca_file:
            return _session(aiohttp.TCPConnector(resolver=Resolver()))
        import ssl  # late: only here

        def made() -> ssl.SSLContext:
            check_readable(self._push.ca_file)
            return ssl.create_default_context(cafile=self._push.ca_file)

        try:
            context = await aside(made, "otlp ca_file")
        except OSError as error:  # an SSLError is one
            raise PushProblem(f"ca_file: {error.strerror or type(error).__name__}") from None
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # of 3.13: authorities may lack extensions
        return _session(aiohttp.TCPConnector(ssl=context, resolver=Resolver()))

    def totals(self) -> Totals:
        """Return the values of the self metrics about pushing."""
        own = "podmates_otlp_"
        totals: Totals = {
            f"{own}pushes_total": {(outcome,): self._outcomes[outcome] for outcome in ("success", "failure")},
            f"{own}points_total": {(): self._points},
            f"{own}rejected_points_total": {(): self._rejected},
        }
        if self._succeeded:
            totals[f"{own}last_success_timestamp_seconds"] = {(): self._succeeded}
        return totals

    async def close(self) -> None:
        """Push a last time, in little time, and let go of connections."""
        try:
            await self.once(min(LAST, self._push.timeout))
        finally:
            if self._session is not None:
                await self._session.close()


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), connector=connector)


def _bare(families: Mapping[str, Family]) -> Mapping[str, Family]:
    return {name: bare(family) for name, family in families.items()}


def _rejected(answer: bytes) -> int:
    """Return how many points the receiver says it did not take; 0 when its answer says nothing."""
    try:
        told: Any = json.loads(answer or b"{}")
        return max(0, int(told["partialSuccess"]["rejectedDataPoints"]))
    except (ValueError, LookupError, TypeError, RecursionError, OverflowError):
        return 0
