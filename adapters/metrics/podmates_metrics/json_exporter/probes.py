"""`/probe?module=&target=`: fetch, extract, answer, with json_exporter's statuses.

Import late: aiohttp is the largest part of the adapter.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections import Counter
from collections.abc import Mapping

from aiohttp import web
from multidict import MultiMapping

from podmates_common.logs import Condition, Rated
from podmates_common.redact import Redactor
from podmates_metrics.exposition.negotiation import accepts_gzip, choose
from podmates_metrics.json_exporter.core import documents
from podmates_metrics.json_exporter.core.bodyfunctions import Failed
from podmates_metrics.json_exporter.core.extract import Conflict, Extracted, extract
from podmates_metrics.json_exporter.core.modules import Module
from podmates_metrics.json_exporter.core.page import text
from podmates_metrics.json_exporter.fetch import Fetcher, FetchError
from podmates_metrics.statsd.engine import Totals

log = logging.getLogger(__name__)
log.addFilter(Rated(1.0))
CONTENT_TYPE = choose("", openmetrics=False).content_type
PATIENCE = 60.0  # seconds for a probe whose asker does not say how long it waits
_AT_ONCE = 16  # probes; further ones wait
_LARGE = 1 << 16  # bytes; a larger document is read, and a larger page packed, beside the event loop


class Probes:
    """Answers probes by *modules*, which may be replaced, and counts how they went."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self._fetcher = Fetcher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._failures: Counter[tuple[str, str, str]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._conditions: dict[tuple[str, str, str], Condition] = {}

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one probe."""
        name = request.query.get("module") or "default"
        module = self.modules.get(name)
        if module is None:
            return _error(400, f'Unknown module "{name}"')
        target = request.query.get("target")
        if not target:
            return _error(400, "Target parameter is missing")
        started = time.monotonic()
        patience = _patience(request.headers.get("X-Prometheus-Scrape-Timeout-Seconds", ""))
        try:
            async with asyncio.timeout(patience), self._turns:
                outcome, answer = await self._probe(module, target, request)
        except TimeoutError:
            outcome, answer = self._unfetched(module, target, f"no answer within {patience:g} s")
        except FetchError as error:
            outcome, answer = self._unfetched(module, target, str(error))
        self._outcomes[name, outcome] += 1
        self._seconds[name] += time.monotonic() - started  # type: ignore[assignment]  # seconds may be broken
        return answer

    async def _probe(self, module: Module, target: str, request: web.Request) -> tuple[str, web.Response]:
        if module.fault:
            self._tell(module, "", "metrics", module.fault)
        body = await self._fetcher.fetch(module, target, self._content(module, request.query))
        try:
            if len(body) > _LARGE:
                page, extracted = await asyncio.to_thread(_read, module, body)
            else:
                page, extracted = _read(module, body)
        except documents.NotJson as error:
            self._tell(module, "", "document", f"not JSON: {error}")
            return "not_json", await _page(request, "")
        except Conflict as error:
            log.warning("module %s: %s", module.name, error)
            return "conflict", _error(500, f"An error has occurred while serving metrics:\n\n{error}")
        self._report(module, extracted)
        return "success", await _page(request, page)

    def _content(self, module: Module, query: MultiMapping[str]) -> str | None:
        if module.body is None:
            return None
        try:
            return module.body.render({name: query.getall(name) for name in query})
        except Failed as error:
            self._tell(module, "", "body", str(error))
            return module.body.content

    def _report(self, module: Module, extracted: Extracted) -> None:
        for (metric, what), reason in extracted.problems.items():
            self._tell(module, metric, what, reason)
        for (metric, what), count in extracted.failures.items():
            self._failures[module.name, metric, what] += count

    def _tell(self, module: Module, metric: str, what: str, reason: str) -> None:
        """Log a trouble of a module: the first time, and when its reason changes."""
        name = f"module {module.name}: " + (f"metric {metric}: {what}" if metric else what)
        key = (module.name, metric, what)
        self._conditions.setdefault(key, Condition(log, name)).fail(reason)

    def _unfetched(self, module: Module, target: str, reason: str) -> tuple[str, web.Response]:
        shown = Redactor().clean(target)
        log.warning("module %s: %s: %s", module.name, shown.partition("?")[0][:500], reason)
        return "fetch_failed", _error(503, f"Failed to fetch JSON response. TARGET: {shown}, ERROR: {reason}")

    def totals(self) -> Totals:
        """Return the values of the self metrics about probes."""
        return {
            "podmates_probes_total": {(*key,): n for key, n in self._outcomes.items()},
            "podmates_probe_failures_total": {(*key,): n for key, n in self._failures.items()},
            "podmates_probe_seconds_total": {(name,): n for name, n in self._seconds.items()},
        }


def _read(module: Module, body: bytes) -> tuple[str, Extracted]:
    extracted = extract(module.metrics, documents.parse(body))
    return text(extracted.families), extracted


def _error(status: int, reason: str) -> web.Response:
    return web.Response(status=status, text=reason + "\n", headers={"X-Content-Type-Options": "nosniff"})


async def _page(request: web.Request, page: str) -> web.Response:
    body, headers = page.encode("utf-8", "replace"), {"Content-Type": CONTENT_TYPE}
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        large = len(body) > _LARGE
        body = await asyncio.to_thread(gzip.compress, body, 1) if large else gzip.compress(body, 1)
    return web.Response(body=body, headers=headers)


def _patience(text: str) -> float:
    """Return what Prometheus waits for, less half a second for the way."""
    try:
        seconds = float(text)
    except ValueError:
        return PATIENCE
    return max(seconds - 0.5, seconds / 2) if 0 < seconds < 3600 else PATIENCE
