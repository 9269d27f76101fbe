"""Units: every value in the base unit that Prometheus wants, and a name that says so.

``latency_ms`` becomes ``latency_seconds``, divided by 1000; ``heap_used_mb`` becomes ``heap_used_bytes``. A
``kb`` is 1024 bytes: what prints it means that, whatever the standard says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

NONE = "none"  # the unit that switches everything here off for a rule


class Unit(NamedTuple):
    """A unit and its way to the base unit: a value is multiplied, then divided, so no digit is lost."""

    base: str  # plural, as a name ends with it: seconds, bytes, ratio
    multiply: float = 1.0
    divide: float = 1.0


_SECONDS = {
    "ns nanosecond nanoseconds": Unit("seconds", divide=1e9),
    "us usec microsecond microseconds": Unit("seconds", divide=1e6),
    "ms msec millis millisecond milliseconds": Unit("seconds", divide=1e3),
    "s sec second seconds": Unit("seconds"),
    "min minute minutes": Unit("seconds", 60.0),
    "h hour hours": Unit("seconds", 3600.0),
    "d day days": Unit("seconds", 86400.0),
}
_BYTES = {
    "b byte bytes": Unit("bytes"),
    "kb kib kilobytes kibibytes": Unit("bytes", float(1 << 10)),
    "mb mib megabytes mebibytes": Unit("bytes", float(1 << 20)),
    "gb gib gigabytes gibibytes": Unit("bytes", float(1 << 30)),
    "tb tib terabytes tebibytes": Unit("bytes", float(1 << 40)),
}
_RATIO = {"percent": Unit("ratio", divide=100.0), "ratio": Unit("ratio")}
UNITS = {word: unit for words, unit in (_SECONDS | _BYTES | _RATIO).items() for word in words.split()}
INFERRED = ("ms", "us", "ns", "kb", "mb", "percent")  # endings of a name that are taken for its unit
_WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


class Named(NamedTuple):
    """A name in its base unit. *unit* is empty where nothing is known of one."""

    name: str
    unit: str
    multiply: float
    divide: float


def parse(text: str) -> str:
    """Return *text* if it can be a unit: one that is known, any other word (it stays as it is), or ``none``.

    Raises:
        ValueError: it is no word.
    """
    if not _WORD.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no unit: want a word as ms, kb, percent, requests; or none")
    return text


@lru_cache(maxsize=4096)
def named(name: str, unit: str, total: bool) -> Named:
    """Return *name* with its unit made a base unit.

    Args:
        name: a metric's name.
        unit: of the values; empty: what the name ends with, if that is one of `INFERRED` or a base unit.
        total: the name is a counter's: a ``_total`` at its end stays there.
    """
    stem, ending = (name[: -len("_total")], "_total") if total and name.endswith("_total") else (name, "")
    last = stem.rpartition("_")[2] if "_" in stem else ""
    if unit == NONE or (not unit and last not in INFERRED and not _is_base(last)):
        return Named(name, "", 1.0, 1.0)
    known = UNITS.get(unit or last) or Unit(unit)
    if (last and last != known.base and UNITS.get(last, Unit("")).base == known.base) or last == unit:
        stem = stem.rpartition("_")[0]
    if stem != known.base and not stem.endswith(f"_{known.base}"):
        stem = f"{stem}_{known.base}"
    return Named(stem + ending, known.base, known.multiply, known.divide)


def _is_base(word: str) -> bool:
    return word in UNITS and UNITS[word].base == word
