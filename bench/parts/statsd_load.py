"""StatsD lines to send, packed as senders pack them, at a steady rate."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from tests.support.statsd_sender import packets
from tests.support.waiting import pause

SERIES = 1000
PACKED = 1400  # bytes of a datagram
_BURST = 0.001  # seconds between two writes: in 10 ms come more packets than a socket holds by itself
MAPPING = (
    "mappings:\n"
    + "".join(
        f'- match: "app{n}.*.time"\n  name: app{n}_seconds\n  observer_type: histogram\n'
        + '  labels: {route: "$1"}\n'
        for n in range(30)
    )
    + "".join(
        f"- match: observed.{kind}.*\n  name: observed_{kind}\n  observer_type: {kind}\n"
        + '  labels: {route: "$1"}\n'
        for kind in ("histogram", "summary")
    )
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
    number = draw.randrange(SERIES)
    name = f"app{number % 30}.r{number}.time"
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
    timers = [sampled(draw) for _ in range(count // 10)]
    made["a line a packet"] = Load([plain(draw) for _ in range(count // 2)], count // 2, 40_000)
    new = [churning(draw) for _ in range(count // 10)]
    made["packed, timers @0.01"] = Load(packets(timers, PACKED), len(timers), 5_000)
    return made | {"packed, all new series": Load(packets(new, PACKED), len(new), 20_000)}


def counters(count: int, names: int) -> Load:
    """Return *count* lines of as many counters, which share *names* names."""
    each = count // names
    lines = [f"shop{n // each}.requests:1|c|#code:200,route:r{n % each}".encode() for n in range(count)]
    return Load(packets(lines, PACKED), count, 15_000)


def observers(count: int, kind: str) -> Load:
    """Return three lines for each of *count* series of histograms or summaries."""
    lines = [f"observed.{kind}.r{n}:{20 + n % 900}|ms".encode() for n in range(count)] * 3
    return Load(packets(lines, PACKED), len(lines), 5_000)


def again(load: Load, rate: float, seconds: float) -> Load:
    """Return what *load* has, again and again, for so many *seconds* at another *rate*."""
    times = max(1.0, rate * seconds / load.lines)
    several = [packet for _ in range(ceil(times)) for packet in load.packets]
    taken = several[: ceil(len(load.packets) * rate * seconds / load.lines)]
    return Load(taken, sum(packet.count(b"\n") + 1 for packet in taken), round(rate))


def send(load: Load, port: int) -> float:
    """Send everything at the rate of *load*, a burst each millisecond; return how many seconds it took."""
    burst = max(1, round(len(load.packets) * load.rate * _BURST / load.lines))
    began = pace = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        for start in range(0, len(load.packets), burst):
            for packet in load.packets[start : start + burst]:
                sender.send(packet)
            pace += burst * load.lines / len(load.packets) / load.rate
            if (early := pace - time.monotonic()) > 0:
                pause(early)
    return time.monotonic() - began
