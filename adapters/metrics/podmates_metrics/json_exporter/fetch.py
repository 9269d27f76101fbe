"""One request to a target for a probe, as a module wants it: bounded in time by the caller, in size here."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import unquote

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from podmates_metrics.background import aside
from podmates_metrics.json_exporter import tls
from podmates_metrics.json_exporter.core.modules import Module
from podmates_metrics.json_exporter.core.oauth import OAuth2
from podmates_metrics.json_exporter.proxies import through
from podmates_metrics.json_exporter.requests import Unsendable, own_headers, secret_headers
from podmates_metrics.json_exporter.sessions import Unreadable, read, session
from podmates_metrics.json_exporter.tokens import Tokens
from podmates_metrics.json_exporter.turns import Part

LARGEST = 32 << 20  # bytes of an answer, unpacked
_MOST_CODED = 5  # times that a path may be encoded
_NOTHING = " \t\r\n\0"  # which some servers pass over at the end of a folder
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PRIVATE = frozenset({"authorization", "cookie", "www-authenticate"})


class FetchError(Exception):
    """The target did not give a document; the text is for the operator and tells no secret."""


class Fetcher:
    """Asks targets, and keeps the tokens that modules need for that.

    *allowed* says where targets may begin, those of redirects too; empty: anywhere.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self.tokens = Tokens()
        self._allowed = [URL(text) for text in allowed]

    async def fetch(
        self, module: Module, target: str, content: str | None, part: Part | None = None
    ) -> bytes:
        """Return the body that *target* answers with; *content* makes the request a POST.

        *part* is the memory that the body may have.

        Raises:
            FetchError: it cannot be had.
        """
        try:
            url = self._url(target)
            context = await aside(lambda: tls.context(module.client.tls), "tls")
            secrets = secret_headers(module.client)
            auth = module.client.auth
            if isinstance(auth, OAuth2):
                secrets.append(("Authorization", await self.tokens.header(auth)))
            async with session(context) as asking:
                answer = await self._follow(asking, module, url, content=content, secrets=secrets)
                async with answer:
                    if answer.status == 401 and isinstance(auth, OAuth2):
                        self.tokens.forget(auth)
                    return await _body(module, answer, part)
        except (Unsendable, Unreadable) as error:
            raise FetchError(str(error)) from None
        except (aiohttp.ClientError, ssl.SSLError, UnicodeError, OSError) as error:
            raise FetchError(reason(error)) from None

    def _url(self, target: str, base: URL | None = None) -> URL:
        try:
            url = base.join(URL(target)) if base else URL(target)
            if url.scheme not in ("http", "https"):
                raise FetchError(f"unsupported protocol scheme {url.scheme[:20]!r}")
            if not url.host or url.port is None:
                raise FetchError("no host in the address")
        except ValueError:
            raise FetchError("the address cannot be used") from None
        if self._allowed and not any(_begins(url, start) for start in self._allowed):
            raise FetchError("not a target that is allowed here")
        return url

    async def _follow(
        self,
        asking: aiohttp.ClientSession,
        module: Module,
        url: URL,
        *,
        content: str | None,
        secrets: list[tuple[str, str]],
    ) -> aiohttp.ClientResponse:
        """Ask, go where the answers point if the module wants that, and return the last answer.

        Where a redirect leads to another host, that gets nothing of what is for the target only.
        """
        first = url.origin()
        method = "GET" if content is None else "POST"
        name = module.client.tls.server_name if module.client.tls else ""
        for _ in range(_MOST_REDIRECTS + 1):
            same = url.origin() == first
            headers = _headers(module, secrets if same else [], same=same)
            answer = await asking.request(
                method,
                url.with_user(None) if "Authorization" in headers else url,  # the header beats the address
                headers=headers,
                data=None if content is None else content.encode(),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(),  # the caller's time is the limit
                server_hostname=name or None,
                **through(module.client.proxy, url),
            )
            location = answer.headers.get("Location", "")
            if not (module.client.follow_redirects and answer.status in _REDIRECTS and location):
                return answer
            answer.close()
            if answer.status < 307:
                method, content = "GET", None
            url = self._url(location, url)
        raise FetchError(f"stopped after {_MOST_REDIRECTS} redirects")


def _begins(url: URL, start: URL) -> bool:
    """Tell whether *url* is *start*, or below it."""
    path = start.raw_path.rstrip("/")
    if url.origin() != start.origin() or not path:
        return url.origin() == start.origin()
    return (url.raw_path == path or url.raw_path.startswith(f"{path}/")) and not _leads_up(url.raw_path)


def _leads_up(path: str) -> bool:
    """Tell whether a server may take *path* for one that goes up again: many decode it once more."""
    for _ in range(_MOST_CODED):
        folders = [folder.partition(";")[0].strip(_NOTHING) for folder in re.split(r"[/\\]", path)]
        if {".", ".."} & {*folders}:
            return True
        plain = unquote(path, errors="replace")
        if plain == path:
            return False
        path = plain
    return True


def _headers(module: Module, secrets: list[tuple[str, str]], *, same: bool) -> CIMultiDict[str]:
    own = [(name, value) for name, value in own_headers(module) if same or name.lower() not in _PRIVATE]
    taken = {name.lower() for name, _ in secrets}
    return CIMultiDict([pair for pair in own if pair[0].lower() not in taken] + secrets)


async def _body(module: Module, answer: aiohttp.ClientResponse, part: Part | None) -> bytes:
    good = module.statuses or range(200, 300)
    if answer.status not in good:
        raise FetchError(_status(answer.status))
    return await read(answer, LARGEST, part)


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def reason(error: Exception) -> str:
    """Return why a request failed, without the address: that may hold a password."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"certificate: {getattr(error.certificate_error, 'verify_message', '') or 'not valid'}"
    if isinstance(error, aiohttp.ClientConnectorError):
        why = error.os_error
        text = os.strerror(why.errno) if why.errno and why.errno > 0 else (why.strerror or str(why))
        return f"{error.host}:{error.port}: {text}"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address cannot be used"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answers with status {error.status}"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"not an HTTP answer: {error.message[:100]}"
    return str(error)[:200] or type(error).__name__
