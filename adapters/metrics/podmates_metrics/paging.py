"""Pages to those who asked for them, in pieces: none is ever whole in memory, packed or not.

Nobody is waited for without end: who reads nothing for a while is sent away.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from podmates_metrics.exposition.negotiation import accepts_gzip

STALLED = 15.0  # seconds in which a client has to take a piece
_LEVEL = 1  # the quickest
_GZIP = 31  # window bits that make zlib write gzip's head and end


async def send(
    request: web.Request, pieces: AsyncIterator[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """Answer with *pieces*, packed if the client takes that; one piece alone is sent with its length."""
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
        await _write(response, first, packer)
        await _write(response, second, packer)
        async for piece in pieces:
            await _write(response, piece, packer)
        if packer is not None:
            await _put(response, packer.flush())
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    return response


async def _write(response: web.StreamResponse, piece: bytes, packer: zlib._Compress | None) -> None:
    if packer is not None:
        piece = packer.compress(piece)
    if piece:
        await _put(response, piece)
    await asyncio.sleep(0)  # writing alone gives nobody a turn while the client takes all


async def _put(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(STALLED):
        await response.write(data)
