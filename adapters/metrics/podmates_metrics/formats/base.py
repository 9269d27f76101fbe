"""What the formats of text have in common: how they are chosen, how lines are cut, what they may cost."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from podmates_metrics.golang import parse_float
from podmates_metrics.records import Record
from podmates_metrics.regexes import Regex

MAX_RECORDS = 100_000  # of one answer
MAX_LINE = 64 << 10  # characters; a longer line cannot be read
Cells = Literal["rows", "cells", "both"]
_LINE = re.compile(r"[^\r\n]+")


class FormatProblem(Exception):
    """The text is not what its format says; the text of the error is for the operator."""


@dataclass(frozen=True, slots=True)
class Format:
    """How an answer is read.

    *separator* is that of ``keyvalue`` (empty: guessed) and ``csv``; *columns* name those of a ``csv``
    without a header; *patterns* are those of ``regex``, each for a line or for the *whole* text; *cells*
    tells whether rows are records, or every number of a row is one.
    """

    kind: str = "json"
    separator: str = ""
    columns: tuple[str, ...] = ()
    patterns: tuple[Regex, ...] = ()
    whole: bool = False
    cells: Cells = "rows"

    @property
    def fields(self) -> frozenset[str] | None:
        """The names that its records have; None: any may come."""
        if self.kind == "json":
            return frozenset({"path", "value", "text"})
        if self.kind == "line":
            return frozenset({"text"})
        if self.kind == "keyvalue":
            return frozenset({"text", "key", "value", "section", "part"})
        if self.kind == "regex":
            return frozenset(
                {"text", "key", "value"}.union(*(pattern.groupindex for pattern in self.patterns))
            )
        return None


@dataclass(slots=True)
class Misses:
    """Lines that could not be read."""

    lines: int = 0


def lines(text: str, misses: Misses, line: re.Pattern[str] = _LINE) -> Iterator[str]:
    """Yield what *line* finds, not empty lines without their ends; count those that are too long."""
    for found in line.finditer(text):
        if found.end() - found.start() > MAX_LINE:
            misses.lines += 1
        else:
            yield found[0]


def number(text: str) -> float | None:
    """Return the number that *text* is; None when it is none."""
    try:
        return parse_float(text.strip())
    except ValueError:
        return None


def cells(rows: Iterable[Record], *, both: bool) -> Iterator[Record]:
    """Yield every number of a row as a record: the row's fields, and ``key``, ``value``, ``text``.

    With *both* the row itself comes first.
    """
    for row in rows:
        if both:
            yield row
        own = dict(row.fields)
        for key, text in own.items():
            value = number(text) if key not in ("text", "@file") else None
            if value is not None:
                yield Record(ChainMap({"key": key, "value": text, "text": key}, own), value)
