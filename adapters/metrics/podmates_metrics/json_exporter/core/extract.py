"""A document through a module: series by family, and for each that could not be had the reason.

The document is parsed once, whatever the number of metrics and labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from podmates_metrics.golang import parse_float
from podmates_metrics.json_exporter.core.modules import Metric
from podmates_metrics.json_exporter.core.steps import PathError
from podmates_metrics.sources.base import Kind, Labels

MOST_SERIES = 100_000  # of one probe
MOST_TEXT = 64 << 20  # characters of all labels of one probe
_WORDS = {"1": 1.0, "t": 1.0, "T": 1.0, "TRUE": 1.0, "true": 1.0, "True": 1.0}
_WORDS |= {"f": 0.0, "F": 0.0, "FALSE": 0.0, "false": 0.0, "False": 0.0, "<nil>": float("nan")}
_INT64 = 1 << 63


class Conflict(Exception):
    """The probe cannot be answered: two series are one, or there are too many."""


@dataclass(slots=True)
class Found:
    """A family: its series as (labels, value, milliseconds or None)."""

    kind: Kind
    help: str
    series: list[tuple[Labels, float, int | None]] = field(default_factory=list)


@dataclass(slots=True)
class Extracted:
    families: dict[str, Found] = field(default_factory=dict)
    problems: dict[tuple[str, str], str] = field(default_factory=dict)  # by metric and what failed
    failures: dict[tuple[str, str], int] = field(default_factory=dict)  # how often each
    _seen: set[tuple[str, Labels, int | None]] = field(default_factory=set)
    _text: int = 0

    def fail(self, metric: Metric, what: str, reason: str) -> None:
        """Note what *metric* lacks; of many equal failures the first reason is kept."""
        key = (metric.name, what)
        self.problems.setdefault(key, reason)
        self.failures[key] = self.failures.get(key, 0) + 1

    def add(self, metric: Metric, labels: Labels, value: float, timestamp: int | None) -> None:
        """Add a series.

        Raises:
            Conflict: it is there already, its name has another type, or it is one too many.
        """
        family = self.families.get(metric.name)
        if family is None:
            family = self.families[metric.name] = Found(metric.kind, metric.help)
        if family.kind != metric.kind:
            raise Conflict(f"{metric.name} is both {family.kind} and {metric.kind}")
        key = (metric.name, labels, timestamp)
        if key in self._seen:
            told = labels_text(labels)
            raise Conflict(
                f"{metric.name} {{{told}}} was collected before with the same name and label values"
            )
        if len(self._seen) >= MOST_SERIES:
            raise Conflict(f"more than {MOST_SERIES} series")
        self._text += sum([len(value) for _, value in labels])
        if self._text > MOST_TEXT:
            raise Conflict(f"labels of more than {MOST_TEXT} characters")
        self._seen.add(key)
        family.series.append((labels, value, timestamp))


def extract(metrics: Sequence[Metric], document: Any) -> Extracted:
    """Return what *metrics* make of *document*.

    Raises:
        Conflict: the series contradict each other; there is no page then.
    """
    extracted = Extracted()
    for metric in metrics:
        for record in _records(metric, document, extracted):
            value = _value(metric, record, extracted)
            if value is not None:
                labels = tuple([(name, _label(metric, name, record, extracted)) for name in metric.labels])
                extracted.add(metric, labels, value, _timestamp(metric, record, extracted))
    return extracted


def _records(metric: Metric, document: Any, extracted: Extracted) -> Sequence[Any]:
    if metric.each is None:
        return (document,)
    try:
        return metric.each.find(document, lenient=metric.lenient)
    except PathError as error:
        extracted.fail(metric, "path", str(error))
        return ()


def _value(metric: Metric, record: Any, extracted: Extracted) -> float | None:
    try:
        text = metric.value.show(record, lenient=metric.lenient)
    except PathError as error:
        extracted.fail(metric, "value", str(error))
        return None
    if not text and metric.lenient:
        return None
    try:
        return number(text)
    except ValueError:
        extracted.fail(metric, "value", f"{text[:80]!r} is not a number")
        return None


def number(text: str) -> float:
    """Return the number or truth value that *text* writes; ValueError for anything else."""
    found = _WORDS.get(text)
    return parse_float(text) if found is None else found


def _label(metric: Metric, name: str, record: Any, extracted: Extracted) -> str:
    try:
        return metric.labels[name].show(record, lenient=metric.lenient)
    except PathError as error:
        extracted.fail(metric, f"label {name}", str(error))
        return ""


def _timestamp(metric: Metric, record: Any, extracted: Extracted) -> int | None:
    if metric.timestamp is None:
        return None
    try:
        text = metric.timestamp.show(record, lenient=metric.lenient)
    except PathError as error:
        extracted.fail(metric, "epochtimestamp", str(error))
        return None
    digits = text.lstrip("+-")
    if not (digits.isascii() and digits.isdigit()) or len(text) - len(digits) > 1 or len(digits) > 19:
        extracted.fail(metric, "epochtimestamp", f"{text[:80]!r} is not a whole number")
        return None
    moment = int(text)
    if not -_INT64 <= moment < _INT64:
        extracted.fail(metric, "epochtimestamp", f"{text} is out of range")
        return None
    return moment


def labels_text(labels: Labels) -> str:
    """Return labels as an error names them, cut off."""
    return ", ".join([f"{name}={value[:80]!r}" for name, value in labels])[:500]
