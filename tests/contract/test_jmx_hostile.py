"""A peer that is no JVM, or means ill: each scrape ends in time, with a reason, and the next begins anew."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable

import pytest

from podmates_metrics.jmx.jrmp import MAGIC
from tests.support.jmx_pages import is_down, series, source
from tests.support.waiting import pause

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ACCEPTED = b"\x4e" + struct.pack(">H", 9) + b"127.0.0.1" + bytes(4)
RETURN = b"\x51" + MAGIC
HEAD = b"\x77\x0f\x01" + bytes(14)  # a block: returned, and a key
OBJECTS = b"\x75\x72\x00\x13[Ljava.lang.Object;" + bytes(8) + b"\x02\x00\x00\x78\x70"  # an array of them


async def _flood(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send *data* until nobody takes it."""
    while True:
        writer.write(data)
        await writer.drain()


def replying(*parts: bytes, endless: bytes = b"") -> Talk:
    """Greet, answer the first call by *parts*, then say *endless* for ever, or nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(7)
        writer.write(ACCEPTED)
        await reader.read(1000)
        writer.write(b"".join(parts))
        if endless:
            await _flood(writer, endless)
        await reader.read()

    return talk


async def nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greet and answer, a byte at a time."""
    for byte in ACCEPTED + RETURN + HEAD + b"\x7c" + struct.pack(">q", 1000) + b"x" * 1000:
        writer.write(bytes((byte,)))
        await asyncio.to_thread(pause, 0.01)
    await reader.read()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(7)
    writer.write(ACCEPTED)
    await reader.read(1000)
    writer.write(RETURN + HEAD + b"\x74\xff\xff half")


async def zeros(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _flood(writer, bytes(1 << 16))


DEEP = b"".join([OBJECTS + struct.pack(">i", 1)] * 5000)
HOSTILE: dict[str, tuple[Talk, str]] = {
    "says nothing": (nothing, "within"),
    "is no RMI server": (zeros, "no RMI server"),
    "drips": (drip, "within"),
    "closes in the middle": (closing, "closed"),
    "a block without end": (replying(RETURN, b"\x7a" + struct.pack(">i", 2**31 - 1)), "announced"),
    "a block of negative length": (replying(RETURN, b"\x7a" + struct.pack(">i", -1)), "announced"),
    "a text without end": (replying(RETURN, HEAD, b"\x7c" + struct.pack(">q", 2**62)), "announced"),
    "a text of negative length": (replying(RETURN, HEAD, b"\x7c" + struct.pack(">q", -5)), "announced"),
    "an array without end": (replying(RETURN, HEAD, OBJECTS + struct.pack(">i", 2**31 - 1)), "elements"),
    "an array of negative length": (replying(RETURN, HEAD, OBJECTS + struct.pack(">i", -7)), "elements"),
    "texts for ever": (
        replying(RETURN, HEAD, OBJECTS + struct.pack(">i", 900_000), endless=b"\x74\xf0\x00" + b"x" * 0xF000),
        "more than",
    ),
    "empty texts for ever": (
        replying(RETURN, HEAD, OBJECTS + struct.pack(">i", 900_000), endless=b"\x74\0\0" * 10_000),
        "more than",
    ),
    "arrays in arrays": (replying(RETURN, HEAD, DEEP), "deeper"),
    "a reference to nothing": (replying(RETURN, HEAD, b"\x71" + struct.pack(">i", 0x7E0001)), "reference"),
    "a bad tag": (replying(RETURN, HEAD, b"\x01"), "tag"),
    "no reply": (replying(b"\x52"), "begins"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_peer_costs_its_own_series_only(name: str) -> None:
    talk, reason = HOSTILE[name]

    async def body() -> None:
        lines: set[asyncio.Task[None]] = set()

        async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            lines.add(task)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
                await talk(reader, writer)

        server = await asyncio.start_server(come, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        # Those that end by the deadline have a short one, all others are to end by their own fault.
        async with source(f"127.0.0.1:{port}", deadline=1.0 if reason == "within" else 60.0) as made:
            for _ in range(2):
                async with asyncio.timeout(120):
                    assert is_down(series(await made.collect()))
                assert reason in made.problem
        server.close()
        for task in lines:
            task.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    asyncio.run(body())
