"""What StatsD lines cost: ``python -m bench.statsd``.

CPU seconds per million lines, packed into datagrams of 1400 bytes: the engine alone with each hot path, then
the whole process over UDP, and statsd_exporter beside it when STATSD_EXPORTER names its program. Ratios
within one run are the result; the absolute numbers belong to the machine and its load.
"""

from __future__ import annotations

import os
import random
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from podmates_metrics.documents import parse
from podmates_metrics.statsd import twins
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.mapping import decode
from podmates_metrics.statsd.store import Store
from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.statsd_sender import packets
from tests.support.waiting import pause, until

LINES = 200_000
SERIES = 1000
MAPPING = "mappings:\n" + "".join(
    f'- match: "app{n}.*.time"\n  name: app{n}_seconds\n  observer_type: histogram\n'
    + '  labels: {route: "$1"}\n'
    for n in range(30)
)


def corpus(count: int = LINES) -> list[bytes]:
    """Return lines of 1000 series: 60 % counters, 25 % timers into histograms, 15 % gauges, 20 % tagged."""
    draw = random.Random(1)
    lines = []
    for _ in range(count):
        number, kind = draw.randrange(SERIES), draw.random()
        tail = "|#route:home,code:200" if number % 5 == 0 else ""
        if kind < 0.6:
            lines.append(f"app{number % 30}.r{number}.count:{draw.randrange(1, 9)}|c{tail}")
        elif kind < 0.85:
            lines.append(f"app{number % 30}.r{number}.time:{draw.random() * 900:.3f}|ms{tail}")
        else:
            lines.append(f"app{number % 30}.r{number}.depth:{draw.randrange(1000)}|g{tail}")
    return [line.encode() for line in lines]


def engine_alone(pure: bool, packed: Sequence[bytes], count: int) -> float:
    """Return CPU seconds per million lines of the engine without sockets, the best of three."""
    twin = twins.choose(pure=pure)
    engine = Engine(twin, Mapper(decode(parse(MAPPING))), Styles(), store=Store(twin.Cell))
    best = float("inf")
    for _ in range(4):  # the first one learns
        started = time.process_time()
        for packet in packed:
            engine.feed(packet, 0.0)
        best = min(best, time.process_time() - started)
    return best / count * 1e6


def cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def over_udp(process: Process, port: int, lines: Callable[[], float], packed: Sequence[bytes]) -> str:
    """Send everything at 100,000 lines a second and return a report."""
    total = sum(packet.count(b"\n") + 1 for packet in packed)
    before, pace = cpu(process.pid), time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number, packet in enumerate(packed):
            sender.sendto(packet, ("127.0.0.1", port))
            if number % 20 == 19:
                pace += 20 * total / len(packed) / 100_000
                pause(max(0.0, pace - time.monotonic()))
    pause(0.5)
    used, got = cpu(process.pid) - before, lines()
    memory = resident(process.pid)
    return f"{used / got * 1e6:6.2f} CPU s per million lines, {got / total:.1%} arrived, {memory:.0f} MB"


def ours(file: Path, packed: Sequence[bytes], *, pure: bool) -> str:
    """Return the report of our process."""
    environ = {"PODMATES_PURE": "1"} if pure else {}
    with Adapter(f"--statsd.mapping-config={file}", env=environ) as adapter:
        return over_udp(
            adapter, adapter.lines, lambda: adapter.samples()["statsd_exporter_lines_total"], packed
        )


def theirs(program: str, file: Path, packed: Sequence[bytes]) -> str:
    """Return the report of statsd_exporter."""
    web, udp = free_port(), free_port()
    flags = [
        f"--statsd.mapping-config={file}",
        f"--statsd.listen-udp=127.0.0.1:{udp}",
        "--statsd.listen-tcp=",
    ]
    with Process([program, *flags, f"--web.listen-address=127.0.0.1:{web}"]) as process:

        def lines() -> float:
            with socket.create_connection(("127.0.0.1", web), timeout=10) as scrape:
                scrape.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                text = b"".join(iter(lambda: scrape.recv(65536), b""))
            found = re.search(rb"^statsd_exporter_lines_total (\S+)$", text, re.MULTILINE)
            return float(found[1]) if found else 0.0

        until(lambda: lines() == 0.0, 30, "statsd_exporter", ignoring=(OSError,))
        return over_udp(process, udp, lines, packed)


def main() -> int:
    lines = corpus()
    packed = packets(lines, 1400)
    for name, pure in (("pure", True), ("compiled", False)):
        if not pure and twins.name(twins.choose()) != "compiled":
            continue
        print(f"engine alone, {name:8} {engine_alone(pure, packed, len(lines)):6.2f} CPU s per million lines")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mapping.yaml"
        file.write_text(MAPPING)
        print("over UDP, pure     ", ours(file, packed, pure=True))
        print("over UDP, compiled ", ours(file, packed, pure=False))
        if peer := os.environ.get("STATSD_EXPORTER"):
            print("statsd_exporter    ", theirs(peer, file, packed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
