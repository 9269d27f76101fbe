"""One request to a target for a probe, as a module wants it: bounded in time by the caller, in size here."""

from __future__ import annotations

import asyncio
import os
import ssl
import zlib
from http import HTTPStatus

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from podmates_metrics.json_exporter import tls
from podmates_metrics.json_exporter.core.modules import Module
from podmates_metrics.json_exporter.requests import Unsendable, own_headers, secret_headers

LARGEST = 32 << 20  # bytes of an answer, unpacked
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PRIVATE = frozenset({"authorization", "cookie", "www-authenticate"})


class FetchError(Exception):
    """The target did not give a document; the text is for the operator and tells no secret."""


async def fetch(module: Module, target: str, content: str | None) -> bytes:
    """Return the body that *target* answers with; *content* makes the request a POST.

    Raises:
        FetchError: it cannot be had.
    """
    try:
        url = _url(target)
        context = await asyncio.to_thread(tls.context, module.client.tls)
        return await _follow(module, url, content, context)
    except Unsendable as error:
        raise FetchError(str(error)) from None
    except (aiohttp.ClientError, ssl.SSLError, UnicodeError, OSError) as error:
        raise FetchError(reason(error)) from None


def _url(target: str) -> URL:
    try:
        url = URL(target)
        if url.scheme not in ("http", "https"):
            raise FetchError(f"unsupported protocol scheme {url.scheme[:20]!r}")
        if not url.host or url.port is None:
            raise FetchError("no host in the address")
        return url
    except ValueError:
        raise FetchError("the address cannot be used") from None


async def _follow(module: Module, url: URL, content: str | None, context: ssl.SSLContext) -> bytes:
    """Ask, and go where the answers point if the module wants that."""
    first = url.origin()
    method = "GET" if content is None else "POST"
    # A connection for each probe, no cookies kept, no proxy from the environment.
    connector = aiohttp.TCPConnector(ssl=context, force_close=True, limit=1)
    name = module.client.tls.server_name if module.client.tls else ""
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await session.request(
                method,
                url,
                headers=_headers(module, same=url.origin() == first),
                data=None if content is None else content.encode(),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(),  # the caller's time is the limit
                server_hostname=name or None,
            )
            async with answer:
                location = answer.headers.get("Location", "")
                if not (module.client.follow_redirects and answer.status in _REDIRECTS and location):
                    return await _body(module, answer)
                if answer.status < 307:
                    method, content = "GET", None
                url = _url(str(url.join(URL(location))))
    raise FetchError(f"stopped after {_MOST_REDIRECTS} redirects")


def _headers(module: Module, *, same: bool) -> CIMultiDict[str]:
    """Return the headers; where a redirect has led to another host, without what is for the target only."""
    own = [(name, value) for name, value in own_headers(module) if same or name.lower() not in _PRIVATE]
    secret = secret_headers(module.client) if same else []
    taken = {name.lower() for name, _ in secret}
    return CIMultiDict([pair for pair in own if pair[0].lower() not in taken] + secret)


async def _body(module: Module, answer: aiohttp.ClientResponse) -> bytes:
    good = module.statuses or range(200, 300)
    if answer.status not in good:
        raise FetchError(_status(answer.status))
    packed = answer.headers.get("Content-Encoding", "").lower() == "gzip"
    unpack = zlib.decompressobj(wbits=31) if packed else None
    parts, size = [], 0
    async for part in answer.content.iter_chunked(65536):
        try:
            piece = unpack.decompress(part, LARGEST + 1 - size) if unpack else part
        except zlib.error:
            raise FetchError("the answer says that it is gzip and is not") from None
        size += len(piece)
        if size > LARGEST:
            raise FetchError(f"the answer is larger than {LARGEST} bytes")
        parts.append(piece)
    if unpack and not unpack.eof:
        raise FetchError("the answer ends too early")
    return b"".join(parts)


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
    if isinstance(error, aiohttp.ClientResponseError):
        return f"not an HTTP answer: {error.message[:100]}"
    return str(error)[:200] or type(error).__name__
