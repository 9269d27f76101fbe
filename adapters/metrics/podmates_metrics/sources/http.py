"""A JSON statistics page as a source: asked at every scrape, bounded in time and size."""

from __future__ import annotations

import json
import logging
import os

import aiohttp

from podmates_common.logs import Condition
from podmates_metrics.native.entries import Http
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.rules.paths import Json
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd.engine import Totals

log = logging.getLogger(__name__)


class PageProblem(Exception):
    """The page did not give what it should; the text is for the operator."""


class HttpSource:
    """One page and the rules for it."""

    def __init__(self, page: Http, rules: Ruleset) -> None:
        self._page = page
        self._rules = rules
        self._condition = Condition(log, f"source {page.name}")
        self._session: aiohttp.ClientSession | None = None
        self._ledger = Ledger(page.name)

    @property
    def name(self) -> str:
        return self._page.name

    @property
    def problem(self) -> str:
        return self._condition.reason

    async def collect(self) -> list[Family]:
        """Return what the rules make of the page now; nothing when it cannot be had."""
        try:
            document = await self._fetch()
            applied = Applied(self._rules)
            applied.document(document)
        except PageProblem as error:
            self._condition.fail(str(error))
            return []
        self._ledger.add(applied)
        self._condition.ok()
        return list(applied.families.values())

    async def _fetch(self) -> Json:
        try:
            body = await self._get()
        except TimeoutError:
            raise PageProblem(f"no answer within {self._page.timeout:g} s") from None
        except aiohttp.ClientError as error:
            raise PageProblem(_reason(error)) from None
        try:
            document: Json = json.loads(body)
            return document
        except (ValueError, RecursionError) as error:
            raise PageProblem(f"the answer is not JSON: {str(error)[:100]}") from None

    async def _get(self) -> bytes:
        if self._session is None:
            # No cookies, no proxy from the environment: the page is next door.
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        limit = aiohttp.ClientTimeout(total=self._page.timeout)
        headers = {"Accept": "application/json", "User-Agent": "podmates-metrics"}
        request = self._session.get(self._page.url, timeout=limit, headers=headers, allow_redirects=False)
        async with request as response:
            if not 200 <= response.status < 300:
                raise PageProblem(f"answered with HTTP status {response.status}")
            parts, size = [], 0
            async for part in response.content.iter_chunked(65536):
                size += len(part)
                if size > self._page.max_size:
                    raise PageProblem(f"the answer is larger than {self._page.max_size} bytes")
                parts.append(part)
        return b"".join(parts)

    def totals(self) -> Totals:
        """Return the values of the self metrics that this source keeps."""
        return self._ledger.totals()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _reason(error: aiohttp.ClientError) -> str:
    """Return why the page could not be fetched, without the address: that may hold a password."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return f"{error.host}:{error.port}: {os.strerror(error.os_error.errno)}"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address cannot be used"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"not an HTTP answer: {error.message[:100]}"
    return str(error) or type(error).__name__
