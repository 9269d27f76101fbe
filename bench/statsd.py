"""What StatsD lines cost, in CPU and memory, beside statsd_exporter: ``python -m bench.statsd [ROUNDS]``.

Every server takes the same lines over UDP after it has seen them once, CPU seconds per million; then 100,000
counters, their memory and what scrapes of them cost, and what arrives of 100,000 lines a second meanwhile. The
order changes from round to round, the medians are printed. Ratios within one run are the result; the absolute
numbers belong to the machine and its load. statsd_exporter is taken from the PATH, else built by Go if there is one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.parts.measures import cpu, median, settle
from bench.parts.statsd_load import Load, counters, loads, send
from bench.parts.statsd_peers import Server, peers

LINES = 200_000
MANY = 100_000  # series
SCRAPES = 3
Figures = dict[str, dict[str, list[float]]]  # row → peer → a value of each round


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def sent(server: Server, load: Load) -> float:
    """Send *load* and return the CPU seconds that it took, when all that arrived has been counted."""
    before = cpu(server.pid)
    send(load, server.port)
    settle()
    return cpu(server.pid) - before


def lines_cost(server: Server, load: Load) -> tuple[float, float]:
    """Return CPU seconds per million lines, and the share of the lines that arrived."""
    before = server.lines()
    used = sent(server, load)
    got = server.lines() - before
    return used / max(got, 1) * 1e6, got / load.lines


def scrapes_cost(server: Server) -> float:
    """Return the CPU seconds of a scrape."""
    before = cpu(server.pid)
    for _ in range(SCRAPES):
        server.page()
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


def measure(start: Any, put: Any) -> None:
    """Measure one peer in one round; *put* takes the row and the value."""
    several, many = loads(LINES), counters(MANY)
    with start() as server:
        settle()
        put("idle, MB", resident(server.pid))
        for name, load in several.items():
            if "new" not in name:
                sent(server, load)
            used, share = lines_cost(server, load)
            put(f"{name}: CPU s per million lines", used)
            put(f"{name}: arrived, %", share * 100)
        put("after these, MB", resident(server.pid))
    with start() as server:
        sent(server, several["packed"])
        before = resident(server.pid)
        sent(server, many)
        sent(server, many)  # what was lost when all was new
        series = server.page().count(b"_requests{")
        put("a counter, bytes", (resident(server.pid) - before) * 1e6 / series)
        put("scrape of 100,000 counters, CPU s", scrapes_cost(server))
        put("packed while that is scraped: arrived, %", while_scraped(server, several["packed"]) * 100)


def main() -> int:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 3
    figures: Figures = defaultdict(lambda: defaultdict(list))
    known = list(peers().items())
    for number in range(rounds):
        for name, start in known[number % len(known) :] + known[: number % len(known)]:
            print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
            measure(start, lambda row, value, name=name: figures[row][name].append(value))
    names = [name for name, _ in known]
    print(f"load average {os.getloadavg()[0]:.1f}, {rounds} rounds")
    print("| what | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for row, values in figures.items():
        cells = [f"{median(values[name]):.4g}" for name in names]
        if "statsd_exporter" in names and "arrived" not in row:
            ratios = [f" ({median(v) / median(values['statsd_exporter']):.2f})" for v in
                      (values[name] for name in names)]  # fmt: skip
            cells = [cell + (ratio if name != "statsd_exporter" else "")
                     for cell, ratio, name in zip(cells, ratios, names, strict=True)]  # fmt: skip
        print(f"| {row} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
