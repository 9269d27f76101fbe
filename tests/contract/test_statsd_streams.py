"""Connections with StatsD lines on real sockets: how many at once."""

from __future__ import annotations

import asyncio

from podmates_common.parse import Address
from podmates_metrics.statsd.streams import Streams


def test_connections_beyond_the_limit_are_closed_and_the_others_go_on() -> None:
    async def body() -> None:
        taken: asyncio.Queue[bytes] = asyncio.Queue()
        streams = Streams(taken.put_nowait, most=2)
        await streams.tcp(Address("127.0.0.1", 0))
        connections = [await asyncio.open_connection(*streams.address) for _ in range(3)]
        try:
            reader, _ = connections[2]
            try:
                rest = await asyncio.wait_for(reader.read(), 30)
            except ConnectionResetError:
                rest = b""
            assert (rest, streams.connections, streams.errors) == (b"", 3, 1)
            connections[0][1].write(b"a:1|c\n")
            assert (await asyncio.wait_for(taken.get(), 30)).startswith(b"a:1|c")
        finally:
            for _, writer in connections:
                writer.close()
            streams.close()

    asyncio.run(body())
