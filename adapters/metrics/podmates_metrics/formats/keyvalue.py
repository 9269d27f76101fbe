"""Lines of a key and a value, as servers print their statistics: ``Total Accesses: 5``, ``STAT pid 7``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from podmates_metrics.formats.base import Misses, lines, number
from podmates_metrics.records import Record

_SEPARATORS = (": ", ":", "=", "\t", " ")  # in this order of trust
_SAMPLE = 200  # lines that are looked at to find out
_PREFIX = "STAT "  # of memcached
_SECTION = re.compile(r"\[([^\[\]]{1,200})\]")
_PART = re.compile(r"([A-Za-z0-9_.\-]+)=([^,=]*)(?:,|\Z)")
# What protocols put around the lines: a length, a status, an end.
_FRAME = re.compile(r"\$\d+|\+OK|END|OK")


def read(text: str, separator: str, misses: Misses) -> Iterator[Record]:
    """Yield a record for each key, and for each part of a value like ``keys=1,expires=0``.

    Fields are ``key``, ``value``, ``text`` (the key below its section) and, where there are, ``section`` (of
    lines like ``[x]``) and ``part``. Lines that begin with ``#`` are comments.
    """
    chosen = separator or _guess(text)
    section = ""
    for whole in lines(text, misses):
        line = whole.strip().removeprefix(_PREFIX)
        if not line or line.startswith("#") or _FRAME.fullmatch(line):
            continue
        if found := _SECTION.fullmatch(line):
            section = found[1].strip()
            continue
        key, mark, value = line.partition(chosen)
        if not mark or not key.strip():
            misses.lines += 1
            continue
        yield from _records(section, key.strip(), value.strip())


def _records(section: str, key: str, value: str) -> Iterator[Record]:
    name = f"{section}.{key}" if section else key
    fields = {"text": name, "key": key, "value": value} | ({"section": section} if section else {})
    parts = _parts(value)
    if not parts:
        yield Record(fields, number(value))
    for part, inner in parts:
        own = {"part": part, "value": inner, "text": f"{name}.{part}"}
        yield Record(fields | own, number(inner))


def _parts(value: str) -> list[tuple[str, str]]:
    """Return the pairs of ``keys=1,expires=0``; none when the value is anything else."""
    parts, position = [], 0
    while found := _PART.match(value, position):
        parts.append((found[1], found[2]))
        position = found.end()
    return parts if position == len(value) else []


def _guess(text: str) -> str:
    """Return the first separator that more than half of the first lines have."""
    sample = [line.strip().removeprefix(_PREFIX) for line in islice(lines(text, Misses()), _SAMPLE)]
    told = [
        line
        for line in sample
        if line and line[0] != "#" and not _SECTION.fullmatch(line) and not _FRAME.fullmatch(line)
    ]
    for separator in _SEPARATORS:
        if sum(separator in line for line in told) * 2 > len(told):
            return separator
    return _SEPARATORS[0]
