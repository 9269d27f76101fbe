"""`/probe?module=&target=`: fetch, extract, answer, with json_exporter's statuses.

Import late: aiohttp is the largest part of the adapter.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from multidict import MultiMapping

from podmates_common.crowd import while_here
from podmates_common.logs import Condition, Rated
from podmates_common.redact import Redactor
from podmates_metrics.exposition.negotiation import choose, patience
from podmates_metrics.json_exporter.core import documents
from podmates_metrics.json_exporter.core.bodyfunctions import Failed
from podmates_metrics.json_exporter.core.extract import Conflict, Extracted, extract
from podmates_metrics.json_exporter.core.modules import Module
from podmates_metrics.json_exporter.core.page import about, text
from podmates_metrics.json_exporter.fetch import Fetcher, FetchError
from podmates_metrics.json_exporter.turns import Part, Turns
from podmates_metrics.paging import send
from podmates_metrics.statsd.engine import Totals

log = logging.getLogger(__name__)
log.addFilter(Rated(1.0))
CONTENT_TYPE = choose("", openmetrics=False).content_type
_NO_CHARACTER = re.compile("[\ud800-\udfff]")  # JSON can write them, UTF-8 cannot; Go replaces them
PATIENCE = 60.0  # seconds for a probe whose asker does not say how long it waits
_LARGE = 1 << 16  # bytes; a larger document is read beside the event loop
_PIECE = 1 << 16  # bytes of a page that are sent at a time


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a probe went: *error* is a status and its text; *families* are the names on the page."""

    name: str
    page: str = ""
    families: frozenset[str] = frozenset()
    error: tuple[int, str] | None = None


class Probes:
    """Answers probes by *modules*, which may be replaced, and counts how they went.

    *report*: every page says how its probe went, and a probe that fails has a page too. *allowed*: where
    targets may begin; empty: anywhere.
    """

    def __init__(
        self, modules: Mapping[str, Module], *, report: bool = False, allowed: Sequence[str] = ()
    ) -> None:
        self.modules, self._report = modules, report
        self._fetcher = Fetcher(allowed)
        self._turns = Turns()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._failures: Counter[tuple[str, str, str]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._conditions: dict[tuple[str, str, str], Condition] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one probe."""
        name = request.query.get("module") or "default"
        module = self.modules.get(name)
        if module is None:
            return _error(400, f'Unknown module "{name}"')
        target = request.query.get("target")
        if not target:
            return _error(400, "Target parameter is missing")
        started = time.monotonic()
        with self._turns.part() as part:
            outcome = await while_here(request, self._outcome(module, target, request, part))
            if outcome is None:
                self._outcomes[name, "abandoned"] += 1
                return web.Response()  # nobody reads it
            return await self._answer(request, name, outcome, time.monotonic() - started)

    async def _answer(
        self, request: web.Request, name: str, outcome: Outcome, took: float
    ) -> web.StreamResponse:
        self._outcomes[name, outcome.name] += 1
        self._seconds[name] += took  # type: ignore[assignment]  # seconds may be broken
        if self._report:
            return await _page(request, outcome.page + about(outcome.families, outcome.name, took))
        return _error(*outcome.error) if outcome.error else await _page(request, outcome.page)

    async def _outcome(self, module: Module, target: str, request: web.Request, part: Part) -> Outcome:
        limit = patience(request.headers) or PATIENCE
        try:
            async with asyncio.timeout(limit), self._turns.turn(target):
                return await self._probe(module, target, request, part)
        except TimeoutError:
            reason = f"no answer within {limit:g} s"
        except FetchError as error:
            reason = str(error)
        shown = Redactor().clean(target)
        log.warning("module %s: %s: %s", module.name, shown.partition("?")[0][:500], reason)
        said = f"Failed to fetch JSON response. TARGET: {shown}, ERROR: {reason}"
        return Outcome("fetch_failed", error=(503, said))

    async def _probe(self, module: Module, target: str, request: web.Request, part: Part) -> Outcome:
        if module.fault:
            self._tell(module, "", "metrics", module.fault)
        body = await self._fetcher.fetch(module, target, self._content(module, request.query), part)
        try:
            if len(body) > _LARGE:
                page, extracted = await asyncio.to_thread(_read, module, body)
            else:
                page, extracted = _read(module, body)
        except documents.NotJson as error:
            self._tell(module, "", "document", f"not JSON: {error}")
            return Outcome("not_json")
        except Conflict as error:
            log.warning("module %s: %s", module.name, error)
            said = f"An error has occurred while serving metrics:\n\n{error}"
            return Outcome("conflict", error=(500, said))
        for (metric, what), reason in extracted.problems.items():
            self._tell(module, metric, what, reason)
        for (metric, what), count in extracted.failures.items():
            self._failures[module.name, metric, what] += count
        return Outcome("success", page, frozenset(extracted.families))

    def _content(self, module: Module, query: MultiMapping[str]) -> str | None:
        if module.body is None:
            return None
        try:
            return module.body.render({name: query.getall(name) for name in query})
        except Failed as error:
            self._tell(module, "", "body", str(error))
            return module.body.content

    def _tell(self, module: Module, metric: str, what: str, reason: str) -> None:
        """Log a trouble of a module: the first time, and when its reason changes."""
        name = f"module {module.name}: " + (f"metric {metric}: {what}" if metric else what)
        key = (module.name, metric, what)
        self._conditions.setdefault(key, Condition(log, name)).fail(reason)

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


async def _page(request: web.Request, page: str) -> web.StreamResponse:
    return await send(request, _pieces(page), {"Content-Type": CONTENT_TYPE})


async def _pieces(page: str) -> AsyncGenerator[bytes, None]:
    for start in range(0, max(len(page), 1), _PIECE):
        yield _NO_CHARACTER.sub("\ufffd", page[start : start + _PIECE]).encode()
