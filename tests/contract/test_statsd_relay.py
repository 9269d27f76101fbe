"""The relay beside targets that are gone, slow, or take no such packets: counted, and told once."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket

import pytest

from podmates_common.parse import Address
from podmates_metrics.statsd.relay import Relay


class Refusing:
    """A socket whose buffer is full at every other packet."""

    def __init__(self) -> None:
        self.sent = 0

    def sendto(self, packet: bytes, _: object) -> int:
        self.sent += 1
        if self.sent % 2:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        return len(packet)

    def close(self) -> None: ...


def counted(relay: Relay, what: str) -> float:
    return next(value for name, values in relay.totals().items() if what in name for value in values.values())


def relay_to(port: int, length: int = 1400) -> Relay:
    return Relay(Address("127.0.0.1", port), length)


def test_a_target_that_takes_every_other_packet_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    relay = relay_to(9, 10)
    relay._socket.close()
    relay._socket = Refusing()  # type: ignore[assignment]
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            relay.feed(b"aaaa:1|c")
            relay.flush()
    assert counted(relay, "dropped") == counted(relay, "relay_packets") == 500
    assert [record.getMessage() for record in caplog.records] == [
        "relay to 127.0.0.1:9: No buffer space available"
    ]
    relay.close()


def test_a_target_that_works_again_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        relay = relay_to(9)
        relay._socket.close()
        relay._socket = Refusing()  # type: ignore[assignment]
        relay.feed(b"a:1|c")
        relay.flush()
        running = asyncio.create_task(relay.run())
        async with asyncio.timeout(60):
            while "works again" not in caplog.text:
                await asyncio.sleep(0)
                if not relay._buffer:
                    relay.feed(b"b:1|c")
                    relay._socket.sent = 1  # type: ignore[attr-defined]
        running.cancel()
        relay.close()

    with caplog.at_level(logging.INFO):
        asyncio.run(body())


def test_nobody_listening_and_packets_over_the_most_of_udp_are_no_end() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    relay = relay_to(port, 100_000)
    for _ in range(3):
        relay.feed(b"a:1|c\n\n" * 10)
        relay.flush()
    relay.feed(b"x" * 90_000 + b"\n" + b"y" * 100_000)
    relay.flush()
    assert counted(relay, "packets") == 3
    assert counted(relay, "dropped") == 1
    assert counted(relay, "long_lines") == 1
    relay.close()
