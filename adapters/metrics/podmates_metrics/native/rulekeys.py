"""The values that keys of a rule can have. Every function raises ValueError or Fault with what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TypeVar

from podmates_metrics.golang import parse_duration
from podmates_metrics.rules.patterns import Pattern, Template
from podmates_metrics.statsd.names import escape
from podmates_metrics.tree import Keys, Place, Scalar, Tree, decimal

LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
METRIC = re.compile(r"[a-zA-Z_:](?:[a-zA-Z0-9_:]|\{[^{}]*\})*|\{[^{}]*\}(?:[a-zA-Z0-9_:]|\{[^{}]*\})*")
MAX_BUCKETS, MAX_QUANTILES, MAX_STATES, MAX_MAP = 200, 20, 50, 1000
_DOTTED = ("path", "metric")  # fields with dots between segments

T = TypeVar("T")
Templates = tuple[tuple[str, Template], ...]


def patterns(entry: Keys) -> tuple[tuple[str, Pattern], ...]:
    """Return the table ``match``: field, pattern."""
    inner = entry.table_at("match", "match")
    made = []
    for field in inner.table.entries if inner else ():
        assert inner is not None  # noqa: S101
        pattern = inner.scalar(field, _dotted if field in _DOTTED else _free, None)
        if pattern is not None:
            made.append((field, pattern))
    return tuple(made)


def _dotted(scalar: Scalar) -> Pattern:
    return Pattern(scalar.text, dotted=True)


def _free(scalar: Scalar) -> Pattern:
    return Pattern(scalar.text, dotted=False)


def templates(entry: Keys, key: str, *, utf8: bool = False) -> Templates:
    """Return a table of labels, sorted by name; *utf8*: names may have any characters."""
    known: dict[str, str] = {}
    inner = entry.table_at(key, key)
    made = []
    for label in inner.table.entries if inner else ():
        assert inner is not None  # noqa: S101
        other = known.setdefault(escape(label), label)
        if other != label:
            raise inner.place(label).fault(f"is {other} as well where names are escaped")
        if not (label and not label.startswith("__") if utf8 else LABEL.fullmatch(label)):
            raise inner.place(label).fault(f"invalid label key: {label}")
        template = inner.scalar(label, lambda s: Template(s.text), None)
        if template is not None:
            made.append((label, template))
    return tuple(sorted(made, key=lambda pair: pair[0]))


def name(scalar: Scalar) -> Template:
    """Return the template of a metric's name."""
    if not METRIC.fullmatch(scalar.text):
        raise ValueError(f"{scalar.text!r} is no metric name: letters, digits, _ and {{captures}}")
    return Template(scalar.text)


def any_name(scalar: Scalar) -> Template:
    """Return the template of a metric's name of any characters."""
    if not scalar.text:
        raise ValueError("want a name")
    return Template(scalar.text)


def numbers(entry: Keys, key: str, most: int) -> tuple[float, ...]:
    """Return a list of numbers that increase; empty when the key is absent."""
    made = _items(entry, key, decimal)
    if any(not low < high for low, high in pairwise(made)) or any(math.isnan(n) for n in made):
        raise entry.place(key).fault("want numbers that increase")
    if len(made) > most:
        raise entry.place(key).fault(f"more than {most}")
    return tuple(made)


def words(entry: Keys, key: str) -> tuple[str, ...]:
    """Return a list of distinct texts; empty when the key is absent."""
    made = _items(entry, key, lambda s: s.text)
    if len(set(made)) < len(made) or "" in made or len(made) > MAX_STATES:
        raise entry.place(key).fault(f"want at most {MAX_STATES} distinct texts")
    return tuple(made)


def _items(entry: Keys, key: str, parse: Callable[[Scalar], T]) -> list[T]:
    made = []
    for number, item in enumerate(entry.list_at(key)):
        place = Place(f"{entry.path}.{key}[{number}]", item.line)
        made.append(_single(item, place, parse))
    return made


def _single(item: Tree, place: Place, parse: Callable[[Scalar], T]) -> T:
    if not isinstance(item, Scalar):
        raise place.fault("want a single value")
    try:
        return parse(item)
    except ValueError as error:
        raise place.fault(str(error)) from None


def value_map(entry: Keys) -> Mapping[str, float]:
    """Return the table ``value_map``: text, number."""
    inner = entry.table_at("value_map", "value_map")
    if inner is None:
        return {}
    if len(inner.table.entries) > MAX_MAP:
        raise inner.place().fault(f"more than {MAX_MAP}")
    return {text: inner.scalar(text, decimal, math.nan) for text in inner.table.entries}


def factor(scalar: Scalar) -> float:
    """Return a finite number other than 0."""
    number = decimal(scalar)
    if not number or not math.isfinite(number):
        raise ValueError("want a number other than 0")
    return number


def lifetime(scalar: Scalar) -> float:
    """Return the seconds of a duration: up to a year, never negative; 0 is for ever."""
    seconds = parse_duration(scalar.text)
    if not 0 <= seconds <= 366 * 86400:
        raise ValueError("want a time between 0 and 8784h")
    return seconds


def count(scalar: Scalar) -> int:
    """Return a whole number from 1 to a million."""
    if scalar.tag != "int" or not scalar.text.isdigit() or not 1 <= int(scalar.text) <= 1_000_000:
        raise ValueError("want a whole number from 1 to 1000000")
    return int(scalar.text)
