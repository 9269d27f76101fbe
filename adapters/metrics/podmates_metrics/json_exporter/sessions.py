"""HTTP as probes use it: a connection for each request, no cookies kept, answers bounded also when packed."""

from __future__ import annotations

import ssl
import zlib

import aiohttp

from podmates_metrics.json_exporter.turns import Part
from podmates_metrics.resolving import Resolver


class Unreadable(Exception):
    """The body of an answer cannot be used; the text says why."""


def session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    """Return a session for one request, and for those that it is redirected to."""
    connector = aiohttp.TCPConnector(ssl=context, resolver=Resolver(), force_close=True, limit=1)
    cookies = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=cookies, auto_decompress=False, skip_auto_headers=("Content-Type",)
    )


async def read(answer: aiohttp.ClientResponse, largest: int, part: Part | None = None) -> bytes:
    """Return the body, of *largest* bytes at most once it is unpacked.

    Raises:
        Unreadable: it is larger, not what its header says, or its *part* of the memory is used up.
    """
    packed = answer.headers.get("Content-Encoding", "").lower() == "gzip"
    unpack = zlib.decompressobj(wbits=31) if packed else None
    parts, size = [], 0
    async for data in answer.content.iter_chunked(65536):
        try:
            piece = unpack.decompress(data, largest + 1 - size) if unpack else data
        except zlib.error:
            raise Unreadable("the answer says that it is gzip and is not") from None
        size += len(piece)
        if size > largest:
            raise Unreadable(f"the answer is larger than {largest} bytes")
        if part is not None and not part.take(len(piece)):
            raise Unreadable("too many large answers at once")
        parts.append(piece)
    if unpack and not unpack.eof:
        raise Unreadable("the answer ends too early")
    return b"".join(parts)
