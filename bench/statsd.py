"""What StatsD lines cost, in CPU and memory, beside statsd_exporter: ``python -m bench.statsd [NAME …]``.

Every server takes the same lines over UDP after it has seen them once, CPU seconds per million (lines);
100,000 counters, their memory, what scrapes of them cost, and what arrives of 100,000 lines a second
meanwhile (series); memory and scrapes of what observes (histograms); the highest rate without loss (rates).
The order changes from round to round, the medians are printed, and in brackets what they are to
statsd_exporter's. Ratios within one run are the result; the absolute numbers belong to the machine and its
load. statsd_exporter is what STATSD_EXPORTER or the PATH names, else built by Go if there is one.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.parts.commandline import at_least, chosen, parser
from bench.parts.measures import median
from bench.parts.statsd_peers import NAMES, Start, peers
from bench.parts.statsd_rows import Put, histograms, lines, rates, series

PEER = "statsd_exporter"
Figures = dict[str, dict[str, list[float]]]  # row → peer → a value of each round
Section = Callable[[Start, Put], None]


def keep(figures: Figures, name: str, row: str, value: float) -> None:
    figures[row][name].append(value)


def main(argv: Sequence[str] = ()) -> int:
    reader = parser("bench.statsd", __doc__)
    reader.add_argument("--rounds", type=at_least(1), default=3, help="how often each is measured; 3")
    reader.add_argument("--seconds", type=at_least(1), default=5, help="of a step of rates; 5")
    reader.add_argument("--only", choices=NAMES, action="append", help="a server; all without any")
    told = chosen(reader, ["lines", "series", "histograms", "rates"], argv)
    several = peers()
    sections: dict[str, Section] = {"lines": lines, "series": series, "histograms": histograms}
    sections["rates"] = partial(rates, seconds=told.seconds)
    figures: Figures = defaultdict(lambda: defaultdict(list))
    known = [name for name in several if name in (told.only or several)]
    for number in range(told.rounds):
        for name in known[number % len(known) :] + known[: number % len(known)]:
            for section in told.chosen:
                print(f"round {number + 1}: {name}, {section}", file=sys.stderr, flush=True)
                sections[section](several[name], partial(keep, figures, name))
    most = Path("/proc/sys/net/core/rmem_max").read_text().strip()
    print(f"load average {os.getloadavg()[0]:.1f}, {told.rounds} rounds, net.core.rmem_max {most}")
    print(table(figures, known))
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
    sys.exit(main(sys.argv[1:]))
