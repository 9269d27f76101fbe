"""A connection for questions that is lost takes nothing and nobody with it."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from podmates_common.parse import Address
from podmates_redis.asking import Asker, Unanswered


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every command with OK, until the client leaves."""
    while line := await reader.readline():
        for _ in range(2 * int(line[1:])):
            await reader.readline()
        writer.write(b"+OK\r\n")
    writer.close()


async def at(descriptor: int, end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return the streams of *end*, which gets the number *descriptor*."""
    if end.fileno() != descriptor:
        os.dup2(end.fileno(), descriptor)
        end.close()
        end = socket.socket(fileno=descriptor)
    end.setblocking(False)
    return await asyncio.open_connection(sock=end)


def test_who_gets_the_descriptor_of_a_lost_connection_is_heard() -> None:
    """Asked after the loss and before the event loop has dealt with it."""

    async def body() -> None:
        server = await asyncio.start_server(answering, "127.0.0.1", 0)
        asker = Asker(Address("127.0.0.1", server.sockets[0].getsockname()[1]), lambda: (b"", None))
        assert await asker.ask(("PING",)) == [b"OK"]
        connection = asker._connection
        assert connection is not None and connection._writer is not None
        transport = connection._writer.transport
        descriptor = transport.get_extra_info("socket").fileno()
        transport.abort()
        with pytest.raises(Unanswered):
            await asker.ask(("PING",))

        ours, theirs = socket.socketpair()
        reader, writer = await at(descriptor, ours)
        theirs.sendall(b"hello\n")
        assert await asyncio.wait_for(reader.readline(), 30) == b"hello\n"
        assert await asker.ask(("PING",)) == [b"OK"]
        asker.close()
        theirs.close()
        assert await reader.read() == b""
        writer.close()
        server.close()

    asyncio.run(body())
