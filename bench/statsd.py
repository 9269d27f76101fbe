"""What StatsD lines cost, in CPU and memory, beside statsd_exporter: ``python -m bench.statsd [ROUNDS]``.

Every server takes the same lines over UDP after it has seen them once, CPU seconds per million; then
100,000 counters, their memory, what scrapes of them cost, and what arrives of 100,000 lines a second
meanwhile. The order changes from round to round, the medians are printed, and in brackets what they are
to statsd_exporter's. Ratios within one run are the result; the absolute numbers belong to the machine
and its load. statsd_exporter is taken from the PATH, else built by Go if there is one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.parts.measures import cpu, median, settle
from bench.parts.statsd_load import Load, counters, loads, send
from bench.parts.statsd_peers import Server, Start, peers

LINES = 200_000
MANY = 100_000  # series
NAMES = (100, 50_000)  # that they share
SCRAPES = 3
QUEUED = 60  # half seconds that a server may go on when all is sent
RESTING = 0.02  # CPU seconds in half a second
PEER = "statsd_exporter"
Put = Callable[[str, float], None]
Figures = dict[str, dict[str, list[float]]]  # row → peer → a value of each round


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def sent(server: Server, load: Load) -> float:
    """Send *load* and return the CPU seconds that it took, until the server rests: some queue what comes."""
    before = last = cpu(server.pid)
    send(load, server.port)
    for _ in range(QUEUED):
        settle()
        now = cpu(server.pid)
        if now - last < RESTING:
            break
        last = now
    return now - before


def lines_cost(server: Server, load: Load) -> tuple[float, float]:
    """Return CPU seconds per million lines, and the share of the lines that arrived."""
    before = server.lines()
    used = sent(server, load)
    got = server.lines() - before
    return used / max(got, 1) * 1e6, got / load.lines


def scrapes_cost(server: Server, *, compressed: bool) -> float:
    """Return the CPU seconds of a scrape."""
    before = cpu(server.pid)
    for _ in range(SCRAPES):
        server.page(compressed=compressed)
    return (cpu(server.pid) - before) / SCRAPES


def while_scraped(server: Server, load: Load) -> float:
    """Return the share of *load* that arrives while one scrape follows the other."""
    over, before = threading.Event(), server.lines()

    def scrape() -> None:
        while not over.wait(0.01):
            server.page()

    scraping = threading.Thread(target=scrape)
    scraping.start()
    send(load, server.port)
    over.set()
    scraping.join()
    settle()
    return (server.lines() - before) / load.lines


def measure_lines(server: Server, put: Put) -> None:
    """Measure what lines cost a fresh server."""
    settle()
    put("idle, MB", resident(server.pid))
    for name, load in loads(LINES).items():
        if "new" not in name:
            sent(server, load)
        used, share = lines_cost(server, load)
        put(f"{name}: CPU s per million lines", used)
        put(f"{name}: arrived, %", share * 100)
    put("after these, MB", resident(server.pid))


def measure_series(server: Server, put: Put, names: int) -> None:
    """Measure what many series cost a fresh server."""
    packed, many = loads(LINES)["packed"], counters(MANY, names)
    sent(server, packed)
    server.page()
    before = resident(server.pid)
    sent(server, many)
    sent(server, many)  # what was lost when all was new
    series = server.page().count(b"_requests{")
    what = f"{MANY:,} counters of {names:,} names: "
    put(what + "bytes each", (resident(server.pid) - before) * 1e6 / series)
    put(what + "scrape, CPU s", scrapes_cost(server, compressed=False))
    put(what + "scrape with gzip, CPU s", scrapes_cost(server, compressed=True))
    put(what + "packed meanwhile, arrived %", while_scraped(server, packed) * 100)


def measure(start: Start, put: Put) -> None:
    """Measure one peer in one round; *put* takes the row and the value."""
    with start() as server:
        measure_lines(server, put)
    for names in NAMES:
        with start() as server:
            measure_series(server, put, names)


def keep(figures: Figures, name: str, row: str, value: float) -> None:
    figures[row][name].append(value)


def main() -> int:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 3
    figures: Figures = defaultdict(lambda: defaultdict(list))
    known = list(peers().items())
    for number in range(rounds):
        for name, start in known[number % len(known) :] + known[: number % len(known)]:
            print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
            measure(start, partial(keep, figures, name))
    print(f"load average {os.getloadavg()[0]:.1f}, {rounds} rounds")
    print(table(figures, [name for name, _ in known]))
    return 0


def table(figures: Figures, names: Sequence[str]) -> str:
    """Return the medians, and in brackets what they are to statsd_exporter's."""
    lines = ["| What | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for row, values in figures.items():
        medians = {name: median(values[name]) for name in names}
        cells = [f"{value:.3g}" for value in medians.values()]
        peer = medians.get(PEER)
        if peer and "arrived" not in row:
            ratios = (f" ({value / peer:.2f})" if name != PEER else "" for name, value in medians.items())
            cells = [cell + ratio for cell, ratio in zip(cells, ratios, strict=True)]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
