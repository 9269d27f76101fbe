"""A server that answers a line on a socket, such as memcached or ZooKeeper, as a source."""

from __future__ import annotations

import asyncio
import os

from podmates_metrics.native.pulls import Pull, Socket
from podmates_metrics.sources.asking import Answer, SourceProblem, said
from podmates_metrics.statsd.engine import Totals

_CHUNK = 1 << 16  # bytes


class SocketWay:
    """One address; each question has a connection of its own."""

    def __init__(self, pull: Pull, socket: Socket) -> None:
        self._pull, self._socket = pull, socket

    async def fetch(self) -> Answer:
        """Return what comes after the request: up to the terminator, the size or the end."""
        try:
            async with asyncio.timeout(self._pull.timeout):
                return Answer([("", await self._talk())])
        except TimeoutError:
            raise SourceProblem(f"no answer within {self._pull.timeout:g} s") from None
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise SourceProblem(f"{self._where()}: {reason}") from None

    def _where(self) -> str:
        return self._socket.path or f"{self._socket.host}:{self._socket.port}"

    async def _talk(self) -> bytes:
        wanted, request = self._socket, await said(self._socket.send)
        if wanted.path:
            reader, writer = await asyncio.open_unix_connection(wanted.path)
        else:
            reader, writer = await asyncio.open_connection(wanted.host, wanted.port)
        try:
            if request:
                writer.write(request)
                await writer.drain()
            return await self._read(reader)
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        until, size, most = self._socket.until, self._socket.size, self._pull.max_size
        data = bytearray()
        while chunk := await reader.read(_CHUNK):
            begin = max(len(data) - len(until), 0)
            data += chunk
            if until and (end := data.find(until, begin)) >= 0:
                return bytes(data[:end])
            if size and len(data) >= size:
                return bytes(data[:size])
            if len(data) > most:
                raise SourceProblem(f"the answer is larger than {most} bytes")
        if until or size:
            raise SourceProblem(f"the connection ended in the answer, after {len(data)} bytes")
        return bytes(data)

    async def close(self) -> None:
        """Each connection is closed with its answer."""

    def totals(self) -> Totals:
        return {}
