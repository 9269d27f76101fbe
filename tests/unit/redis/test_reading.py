"""A turn of the loop reads little of each connection, however much has come on it."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import pytest

from podmates_redis.reading import ALL, LARGE, TURN, Reading

MEBIBYTE = 1 << 20


class Reader(Reading):
    """Writes down in *seen* what it is given."""

    def __init__(self, name: str, seen: list[tuple[str, bytes]], wanted: int = 0) -> None:
        self.name, self.seen, self.wanted = name, seen, wanted

    def missing(self) -> int:
        return self.wanted

    def data_received(self, data: bytes) -> None:
        self.seen.append((self.name, data))


def _given(reader: Reader) -> Reader:
    return reader


async def read(*readers: tuple[Reader, bytes], turns: int = 1) -> None:
    """Let all of *readers* begin in one turn, with what has come for each; see the last served in *turns*."""
    loop, pairs = asyncio.get_running_loop(), [socket.socketpair() for _ in readers]
    transports: list[asyncio.Transport] = []
    for (near, far), (reader, data) in zip(pairs, readers, strict=True):
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MEBIBYTE)
        near.setblocking(False)
        near.send(data)
        near.shutdown(socket.SHUT_WR)
        far.setblocking(False)
        transport, _ = await loop.connect_accepted_socket(partial(_given, reader), far)
        transport.pause_reading()
        transports.append(transport)
    readers[0][0].seen.clear()
    for transport in transports:
        transport.resume_reading()
    async with asyncio.timeout(60):
        seen, last = readers[0][0].seen, readers[-1][0].name
        while sum(name == last for name, _ in seen) < turns:
            await asyncio.sleep(0)
    for transport in transports:
        transport.abort()
    for near, _ in pairs:
        near.close()
    await asyncio.sleep(0)  # in which they close


def test_one_with_much_to_read_lets_others_in_between() -> None:
    seen: list[tuple[str, bytes]] = []
    asyncio.run(read((Reader("much", seen), b"x" * 100_000), (Reader("little", seen), b"y")))

    before = seen[: seen.index(("little", b"y"))]
    assert sum(len(data) for _, data in before) <= 4 * TURN


def test_of_many_with_much_to_read_each_has_less() -> None:
    seen: list[tuple[str, bytes]] = []
    much = [(Reader(f"much {number}", seen), b"x" * 100_000) for number in range(40)]
    asyncio.run(read(*much, (Reader("last", seen), b"y" * 100_000), turns=3))

    assert {len(data) for _, data in seen[-41:]} == {ALL // 41}


@pytest.mark.parametrize(("wanted", "most"), [(0, TURN), (TURN, TURN), (50_000, 50_000)])
def test_a_piece_is_as_large_as_what_is_missing_from_a_large_value(wanted: int, most: int) -> None:
    seen: list[tuple[str, bytes]] = []
    asyncio.run(read((Reader("one", seen, wanted), b"x" * 200_000), turns=3))

    assert max(len(data) for _, data in seen) == most


def test_no_piece_is_larger_than_the_buffer() -> None:
    assert len(Reader("one", [], 2**40).get_buffer(-1)) == LARGE
