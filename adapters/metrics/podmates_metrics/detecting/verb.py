"""The verb ``detect``: what at this machine has statistics, as a native file."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence

from podmates_metrics import kingpin
from podmates_metrics.detecting import asking
from podmates_metrics.detecting.asking import MAX_PORTS, Found, detect

GOOD, NOTHING, UNUSABLE = range(3)  # exit statuses
USAGE = """\
usage: podmates-metrics detect [--ports=PORT,PORT...]

Asks the ports that somebody listens on at localhost what they are, for a second, and prints a native rule
file with those that have statistics: nginx, Apache httpd, HAProxy, memcached, Redis, ZooKeeper, JVMs with
JMX, pages in Prometheus' format, JSON. Every port gets a few requests of HTTP; other protocols are spoken
only at the ports where they are usual, and at those of --ports.

  --ports=PORTS  ask these, and everything of them

Exit status: 0; 1 nothing was found; 2 the command line cannot be used.
"""


def main(words: Sequence[str], program: str) -> int:
    """Return the exit status of ``detect`` with *words* after it."""
    try:
        told = kingpin.parse([kingpin.Flag("ports", "--ports")], words)
        if told.asked:
            print(USAGE, end="")
            return GOOD
        named = _ports(told.values["ports"][0]) if "ports" in told.values else None
    except kingpin.Usage as error:
        print(f"{program}: detect: {error}, try --help", file=sys.stderr)
        return UNUSABLE
    found = asyncio.run(detect(named or asking.ports(), everywhere=named is not None))
    if not found:
        print(f"{program}: nothing found", file=sys.stderr)
        return NOTHING
    print(native(found), end="")
    return GOOD


def _ports(text: str) -> list[int]:
    numbers = text.split(",")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 65536 for part in numbers):
        raise kingpin.Usage("--ports: want numbers from 1 to 65535, with commas between")
    if len(numbers) > MAX_PORTS:
        raise kingpin.Usage(f"--ports: more than {MAX_PORTS}")
    return [int(part) for part in numbers]


def native(found: Sequence[Found]) -> str:
    """Return the native file; of several sources with one name all but the first have their port in it."""
    seen: Counter[str] = Counter()
    lines = []
    for port, name, entry in found:
        seen[name] += 1
        lines.append(f"  {name if seen[name] == 1 else f'{name}_{port}'}: {entry}\n")
    return "sources:\n" + "".join(lines)
