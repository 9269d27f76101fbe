"""A statistics page as a source: asked at every scrape, bounded in time and size."""

from __future__ import annotations

import os
import ssl

import aiohttp

from podmates_common.files import check_readable
from podmates_metrics.background import aside
from podmates_metrics.native.pulls import UNSENDABLE, Http, Pull
from podmates_metrics.resolving import Resolver
from podmates_metrics.sources.asking import Answer, SourceProblem, said
from podmates_metrics.statsd.engine import Totals

_ACCEPT = {
    "prometheus": "text/plain;version=0.0.4, */*;q=0.1",
    "json": "application/json",
    "jsonl": "application/x-ndjson, */*",
    "csv": "text/csv, */*",
}


class HttpWay:
    """One page."""

    def __init__(self, pull: Pull, http: Http) -> None:
        self._pull, self._http = pull, http
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self) -> Answer:
        """Return the page; nothing but a status of 2xx counts, and no redirect is followed."""
        try:
            return Answer([("", await self._get())])
        except TimeoutError:
            raise SourceProblem(f"no answer within {self._pull.timeout:g} s") from None
        except aiohttp.ClientError as error:
            raise SourceProblem(_reason(error)) from None

    async def _get(self) -> bytes:
        if self._session is None:
            # No cookies, no proxy from the environment: the page is next door.
            connector = aiohttp.TCPConnector(resolver=Resolver())
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("Content-Type",)
            )
        request = self._session.request(
            self._http.method,
            self._http.url,
            data=await said(self._http.body) or None,
            headers=await self._headers(),
            timeout=aiohttp.ClientTimeout(total=self._pull.timeout),
            allow_redirects=False,
            ssl=await self._tls(),
        )
        async with request as response:
            if not 200 <= response.status < 300:
                raise SourceProblem(f"answered with HTTP status {response.status}")
            parts, size = [], 0
            async for part in response.content.iter_chunked(65536):
                size += len(part)
                if size > self._pull.max_size:
                    raise SourceProblem(f"the answer is larger than {self._pull.max_size} bytes")
                parts.append(part)
        return b"".join(parts)

    async def _tls(self) -> ssl.SSLContext | bool:
        """Return how certificates are checked; the file of authorities is read anew, for it may change."""
        path = self._http.ca_file
        if not path:
            return not self._http.skip_verify
        try:
            return await aside(lambda: _trusting(path), f"ca of {self._pull.name}")
        except ssl.SSLError:
            raise SourceProblem(f"{path}: no certificate of an authority") from None
        except OSError as error:
            raise SourceProblem(f"{path}: {error.strerror}") from None

    async def _headers(self) -> dict[str, str]:
        headers = {"accept": _ACCEPT.get(self._pull.format.kind, "*/*"), "user-agent": "podmates-metrics"}
        for name, what in self._http.headers:
            try:
                headers[name.lower()] = (await said(what)).decode().rstrip("\r\n")
            except UnicodeDecodeError:
                raise SourceProblem(f"header {name}: not UTF-8") from None
            if any(sign in headers[name.lower()] for sign in "\r\n\0"):
                raise SourceProblem(f"header {name}: more than one line")
            if UNSENDABLE.search(headers[name.lower()]):
                raise SourceProblem(f"header {name}: a sign that cannot be sent")
        return headers

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def totals(self) -> Totals:
        return {}


def _trusting(path: str) -> ssl.SSLContext:
    """Return what believes the authorities in a file, also those that are made without all extensions."""
    check_readable(path)
    context = ssl.create_default_context(cafile=path)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # which is set from Python 3.13 on
    return context


def _reason(error: aiohttp.ClientError) -> str:
    """Return why the page could not be fetched, without the address: that may hold a password."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        cause = error.certificate_error if hasattr(error, "certificate_error") else error.os_error
        told = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "TLS failed"
        return f"{error.host}:{error.port}: {told}"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        number, told = error.os_error.errno, error.os_error.strerror  # a resolver's numbers are below 0
        return f"{error.host}:{error.port}: {os.strerror(number) if number > 0 else told}"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address cannot be used"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"not an HTTP answer: {error.message[:100]}"
    return str(error) or type(error).__name__
