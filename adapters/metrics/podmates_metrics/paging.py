"""Pages to those who asked for them, in pieces: none is ever whole in memory, packed or not.

Who reads nothing for a while is sent away.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from aiohttp import web

from podmates_metrics.exposition.negotiation import accepts_gzip
from podmates_metrics.readers import Reader

_LEVEL = 1  # the quickest
_GZIP = 31  # window bits that make zlib write gzip's head and end


async def send(
    request: web.Request,
    pieces: AsyncGenerator[bytes, None],
    headers: Mapping[str, str],
    reader: Reader | None = None,
) -> web.StreamResponse:
    """Answer with *pieces*, packed if the client takes that; one piece alone is sent with its length."""
    async with aclosing(pieces):
        return await _send(request, pieces, headers, reader or Reader())


async def _send(
    request: web.Request, pieces: AsyncGenerator[bytes, None], headers: Mapping[str, str], reader: Reader
) -> web.StreamResponse:
    packed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    told = {**headers, "Content-Encoding": "gzip"} if packed else dict(headers)
    first = await anext(pieces, b"")
    second = await anext(pieces, None)
    if second is None:
        body = zlib.compress(first, _LEVEL, _GZIP) if packed else first
        return web.Response(body=body, headers=told)
    response = web.StreamResponse(headers=told)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP) if packed else None
    try:
        for piece in (first, second):
            await _write(response, piece, packer, reader)
        async for piece in pieces:
            await _write(response, piece, packer, reader)
        if packer is not None:
            await reader.take(response.write(packer.flush()))
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return response


async def _write(
    response: web.StreamResponse, piece: bytes, packer: zlib._Compress | None, reader: Reader
) -> None:
    if packer is not None:
        piece = packer.compress(piece)
    if piece:
        await reader.take(response.write(piece))
    await asyncio.sleep(0)  # writing alone gives nobody a turn while the client takes all
