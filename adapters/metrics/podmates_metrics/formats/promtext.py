"""Pages in Prometheus' text format 0.0.4, of another exporter: passed on, or offered to the rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from podmates_metrics.formats.base import FormatProblem, Misses, lines, number
from podmates_metrics.rules.apply import Applied
from podmates_metrics.sources.base import Family, Kind, Labels, Sample

MAX_SAMPLES = 200_000  # of one answer, rules or not
_LINE = re.compile(r"[^\n]+")  # a label may have a carriage return
_HEAD = re.compile(r"#\s*(TYPE|HELP)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?")
_NAME = re.compile(r"[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(\{)?")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,|(?=\}))')
_CLOSE = re.compile(r"[ \t]*\}")
_VALUE = re.compile(r"[ \t]*(\S+)(?:[ \t]+(-?\d{1,16}))?[ \t]*")
_ESCAPED = re.compile(r"\\(.)")
_KINDS: dict[str, Kind] = {
    "counter": "counter",
    "gauge": "gauge",
    "summary": "summary",
    "histogram": "histogram",
}
_OWN_LABEL = {("histogram", "_bucket"): "le", ("summary", ""): "quantile"}
_PARTS: dict[str, tuple[str, ...]] = {
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("_sum", "_count"),
}


class Line(NamedTuple):
    """One sample. *text* is the value as written, *timestamp* in seconds."""

    name: str
    labels: Labels
    value: float
    text: str
    timestamp: float | None


def feed_page(text: str, applied: Applied, misses: Misses) -> None:
    """Offer every sample to the rules: the fields ``metric``, ``value``, ``text`` and the labels.

    One that no rule takes is passed on as it is, with the type and the help of its family, where numbers are
    exposed.

    Raises:
        FormatProblem: there are too many, or nothing but lines that cannot be read.
    """
    heads = _Heads()
    passed = _Passed(applied, heads)
    count = 0
    for line in _samples(text, heads, misses):
        count += 1
        if count > MAX_SAMPLES:
            raise FormatProblem(f"more than {MAX_SAMPLES} samples")
        applied.records += 1
        if applied.rules.plain and _offer(applied, line):
            continue
        if applied.rules.expose:
            passed.add(line)
    if misses.lines and not count:
        raise FormatProblem(f"none of its {misses.lines} lines could be read as prometheus")


def _offer(applied: Applied, line: Line) -> bool:
    own = {"metric": line.name, "value": line.text, "text": line.name}
    fields = dict(line.labels) | own
    return applied.offer(applied.rules.plain, fields.get, lambda _: line.text)


@dataclass(slots=True)
class _Heads:
    """What the lines with # say."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    helps: dict[str, str] = field(default_factory=dict)

    def take(self, line: str) -> None:
        found = _HEAD.match(line)
        if found and found[1] == "TYPE":
            self.kinds[found[2]] = _KINDS.get((found[3] or "").strip(), "untyped")
        elif found:
            self.helps[found[2]] = _plain(found[3] or "")

    def family(self, name: str) -> tuple[str, str]:
        """Return the family of a sample's name, and the suffix that it has there."""
        for suffix in ("_bucket", "_sum", "_count"):
            base = name.removesuffix(suffix)
            if base != name and suffix in _PARTS.get(self.kinds.get(base, ""), ()):
                return base, suffix
        return name, ""


class _Passed:
    """Samples that are passed on, into the families of what the rules make."""

    def __init__(self, applied: Applied, heads: _Heads) -> None:
        self._applied, self._heads = applied, heads
        self._help = f"From source {applied.rules.prefix}."
        self._families: dict[str, Family] = {}
        self._seen: set[tuple[str, Labels]] = set()

    def add(self, line: Line) -> None:
        name, suffix = self._heads.family(line.name)
        family = self._families.get(name)
        if family is None and name in self._applied.families:
            self._applied.errors["", "conflict"] += 1
        elif not _fits(self._heads.kinds.get(name, ""), suffix, line):
            self._applied.errors["", "wrong_part"] += 1
        elif (line.name, line.labels) in self._seen:
            self._applied.errors["", "duplicate"] += 1
        elif len(self._seen) >= self._applied.rules.limits.series_total:
            self._applied.errors["", "series_limit"] += 1
        else:
            if family is None:
                kind = self._heads.kinds.get(name, "untyped")
                family = Family(name, kind, self._heads.helps.get(name) or self._help)
                self._families[name] = self._applied.families[name] = family
            self._seen.add((line.name, line.labels))
            family.samples.append(Sample(line.labels, line.value, suffix, timestamp=line.timestamp))


def _fits(kind: str, suffix: str, line: Line) -> bool:
    """Tell whether a part of a histogram or summary says which it is: else some scrapers refuse the page."""
    if kind == "histogram" and not suffix:
        return False
    own = _OWN_LABEL.get((kind, suffix))
    if own is None:
        return True
    told = number(dict(line.labels).get(own, ""))
    return told is not None and (not math.isnan(told) if own == "le" else 0 <= told <= 1)


def _samples(text: str, heads: _Heads, misses: Misses) -> Iterator[Line]:
    for found in lines(text, misses, _LINE):
        line = found.rstrip("\r")  # not by the pattern: it would look for the end once for each of them
        if line.lstrip().startswith("#"):
            heads.take(line.strip())
        elif line.strip():
            sample = _sample(line)
            if sample is None:
                misses.lines += 1
            else:
                yield sample


def _sample(line: str) -> Line | None:
    """Return the sample of a line; None when it is none."""
    name = _NAME.match(line)
    if name is None:
        return None
    labels, position = {}, name.end()
    if name[2]:
        while label := _LABEL.match(line, position):
            if label[1] in labels or label[1].startswith("__"):  # some readers refuse the page then
                return None
            labels[label[1]] = _plain(label[2], quotes=True)
            position = label.end()
        close = _CLOSE.match(line, position)
        if close is None:
            return None
        position = close.end()
    rest = _VALUE.fullmatch(line, position)
    value = number(rest[1]) if rest else None
    if rest is None or value is None:
        return None
    time = int(rest[2]) / 1000 if rest[2] else None
    told = tuple(sorted((key, text) for key, text in labels.items() if text))
    return Line(name[1], told, value, rest[1], time)


def _plain(text: str, *, quotes: bool = False) -> str:
    """Return *text* without escapes: of line ends and backslashes, of quotes in the values of labels."""
    if "\\" not in text:
        return text
    known = {"n": "\n", "\\": "\\"} | ({'"': '"'} if quotes else {})
    return _ESCAPED.sub(lambda found: known.get(found[1], found[0]), text)
