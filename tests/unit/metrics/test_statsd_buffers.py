"""How much the kernel keeps for us while we are busy."""

from __future__ import annotations

import asyncio
import socket

import pytest

from podmates_common.parse import Address
from podmates_metrics.statsd.listeners import Datagrams

PACKET = b"x" * 1400


def kept(buffer: int) -> int:
    """Return how many bytes the kernel keeps for a socket that nobody reads, before it drops some."""

    async def fill() -> int:
        ours = Datagrams.udp(Address("127.0.0.1", 0), lambda _: None, buffer)
        sent = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while ours.dropped == 0 and sent < 20_000:
                sender.sendto(PACKET, ours.address)
                sent += 1
        ours.close()
        return (sent - 1) * len(PACKET)

    return asyncio.run(fill())


def test_the_buffer_is_larger_than_what_a_socket_has_by_itself() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        usual = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)

    assert kept(0) > usual


@pytest.mark.parametrize("size", [2**31, 2**70])
def test_a_size_beyond_what_the_kernel_can_be_told_is_the_largest(size: int) -> None:
    assert kept(size) >= kept(8192)


def test_a_size_that_is_said_is_taken() -> None:
    assert kept(8192) < 100_000
