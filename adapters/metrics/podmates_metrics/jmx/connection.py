"""One TCP connection to an RMI server: greeting, calls, replies in order. Shell around `jrmp`.

Nothing here waits longer than the caller's `asyncio.timeout`; whoever cancels a call in the middle must
close the connection, because the next reply would be another call's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from ssl import SSLContext

from podmates_metrics.jmx import jrmp
from podmates_metrics.jmx.decoder import PENDING, Construct, Decoder, Limits, StreamAborted
from podmates_metrics.jmx.grammar import object_decoder
from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.target import Place

READ_SIZE = 32 * 1024  # bytes; it takes some 10 ms to understand as much, and nothing else happens meanwhile


class ConnectionLost(ConnectionError):
    """The server closed the connection where a reply was expected."""


class Connection:
    """Calls on the remote objects of one server. Not safe for two callers at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self._reader, self._writer = reader, writer
        self._decoder: Decoder = object_decoder(limits)

    @classmethod
    async def open(cls, place: Place, *, limits: Limits, tls: SSLContext | None = None) -> Connection:
        """Connect and exchange greetings.

        Raises:
            OSError: nobody is there.
            StreamError: somebody else is there.
        """
        reader, writer = await asyncio.open_connection(place.host, place.port, ssl=tls, limit=READ_SIZE)
        connection = cls(reader, writer, limits)
        try:
            writer.write(jrmp.GREETING)
            await connection._read(jrmp.greeted)
            writer.write(jrmp.introduce(writer.get_extra_info("sockname")[0]))
        except BaseException:
            connection.abort()
            raise
        return connection

    async def call(self, request: bytes, *, void: bool = False) -> jrmp.Reply:
        """Send one call and return its reply.

        Raises:
            RemoteError: the method threw; the connection goes on.
            StreamAborted, StreamError, OSError: the connection is of no use any more.
        """
        self._writer.write(request)
        reply: jrmp.Reply = await self._read(lambda decoder: jrmp.replied(decoder, void=void))
        return reply

    async def pipeline(
        self, requests: Sequence[bytes], window: int
    ) -> AsyncIterator[jrmp.Reply | jrmp.RemoteError | StreamAborted]:
        """Send *requests*, never more than *window* without a reply, and yield the replies in order.

        After a `StreamAborted` nothing follows: the server closes the connection then.

        Raises:
            ConnectionLost: before every call was answered.
            StreamError: the bytes made no sense.
        """
        waiting, unanswered = deque(requests), 0
        while waiting or unanswered:
            if unanswered <= window // 2:
                batch = [waiting.popleft() for _ in range(min(window - unanswered, len(waiting)))]
                self._writer.write(b"".join(batch))
                unanswered += len(batch)
            try:
                yield await self._read(lambda decoder: jrmp.replied(decoder, void=False))
            except jrmp.RemoteError as error:
                yield error
            except StreamAborted as error:
                yield error
                return
            unanswered -= 1

    def send(self, data: bytes) -> None:
        """Send something that has no answer."""
        self._writer.write(data)

    async def _read(self, construct: Callable[[Decoder], Construct]) -> Value:
        decoder = self._decoder
        decoder.begin(construct(decoder))
        while (value := decoder.result()) is PENDING:
            try:
                data = await self._reader.read(READ_SIZE)
            except ConnectionError as error:
                raise ConnectionLost(str(error)) from None
            if not data:
                raise ConnectionLost("the server closed the connection")
            decoder.feed(data)
        return value

    def abort(self) -> None:
        """Close at once, whatever is unsent."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Send what is unsent, then close."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
