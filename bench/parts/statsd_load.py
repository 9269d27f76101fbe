"""StatsD lines to send, packed as senders pack them, at a steady rate."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.statsd_sender import packets
from tests.support.waiting import pause

SERIES = 1000
PACKED = 1400  # bytes of a datagram
_BURST = 0.01  # seconds between two writes
MAPPING = "mappings:\n" + "".join(
    f'- match: "app{n}.*.time"\n  name: app{n}_seconds\n  observer_type: histogram\n'
    + '  labels: {route: "$1"}\n'
    for n in range(30)
)


@dataclass(frozen=True)
class Load:
    """What is sent."""

    packets: Sequence[bytes]
    lines: int
    rate: int  # lines a second


def plain(draw: random.Random, tagged: float = 0.2) -> bytes:
    """Return a line of 1000 series: 60 % counters, 25 % timers into histograms, 15 % gauges."""
    number, kind = draw.randrange(SERIES), draw.random()
    tail = "|#route:home,code:200" if number < SERIES * tagged else ""
    if kind < 0.6:
        return f"app{number % 30}.r{number}.count:{draw.randrange(1, 9)}|c{tail}".encode()
    if kind < 0.85:
        return f"app{number % 30}.r{number}.time:{draw.random() * 900:.3f}|ms{tail}".encode()
    return f"app{number % 30}.r{number}.depth:{draw.randrange(1000)}|g{tail}".encode()


def malformed(draw: random.Random) -> bytes:
    return b"no line at all" if draw.random() < 0.1 else plain(draw)


def sampled(draw: random.Random) -> bytes:
    name = f"app{draw.randrange(30)}.r{draw.randrange(SERIES)}.time"
    return f"{name}:{draw.random() * 900:.3f}|ms|@0.01".encode()


def churning(draw: random.Random) -> bytes:
    return f"app.count:1|c|#id:{draw.getrandbits(60)}".encode()


def loads(count: int) -> dict[str, Load]:
    """Return the loads of *count* lines by name; churn is a tenth of it, since its series stay."""
    draw = random.Random(1)
    several: dict[str, Callable[[], bytes]] = {
        "packed": lambda: plain(draw),
        "packed, tags": lambda: plain(draw, 1.0),
        "packed, 10 % wrong": lambda: malformed(draw),
    }
    made = {
        name: Load(packets([make() for _ in range(count)], PACKED), count, 100_000)
        for name, make in several.items()
    }
    timers = [sampled(draw) for _ in range(count // 20)]
    made["a line a packet"] = Load([plain(draw) for _ in range(count // 2)], count // 2, 40_000)
    new = [churning(draw) for _ in range(count // 10)]
    made["packed, timers @0.01"] = Load(packets(timers, PACKED), len(timers), 5_000)
    return made | {"packed, all new series": Load(packets(new, PACKED), len(new), 20_000)}


def counters(count: int, names: int) -> Load:
    """Return *count* lines of as many counters, which share *names* names."""
    each = count // names
    lines = [f"shop{n // each}.requests:1|c|#code:200,route:r{n % each}".encode() for n in range(count)]
    return Load(packets(lines, PACKED), count, 15_000)


def send(load: Load, port: int) -> None:
    """Send everything at the rate of *load*, in bursts of 10 ms."""
    burst = max(1, round(len(load.packets) * load.rate * _BURST / load.lines))
    pace = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        for start in range(0, len(load.packets), burst):
            for packet in load.packets[start : start + burst]:
                sender.send(packet)
            pace += burst * load.lines / len(load.packets) / load.rate
            pause(max(0.0, pace - time.monotonic()))
