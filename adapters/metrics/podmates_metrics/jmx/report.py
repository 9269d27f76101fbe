"""Readings of one JVM as families of samples, in the default format of jmx_exporter. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from podmates_metrics.jmx.javatext import as_double
from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.naming import default_labels, default_name, help_text
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.walk import Reading, TooMuch, Walker
from podmates_metrics.sources.base import Family, Kind, Labels, Sample

MAXIMUM = 200_000  # readings per JVM; `Drop.TOO_MANY` tells


class Drop:
    """Values of the label `reason`: why a reading, or a label of it, is not on the page."""

    LABEL = "duplicate_label"  # two names of labels became one; the last is there
    SAMPLE = "duplicate_sample"  # even the bean does not tell two samples apart; the first is there
    TOO_MANY = "too_many"  # an attribute, from where the readings exceed the maximum
    TOO_LONG = "too_long"  # its name is longer than what patterns look at
    NEGATIVE = "negative_counter"  # a rule calls it a counter


class Entry(NamedTuple):
    """A sample to be, of a family that is known by its name."""

    labels: Labels
    value: float
    where: Reading
    kind: Kind
    help: str | None  # None: what the attribute says of itself


@dataclass(slots=True)
class Report:
    """What becomes a page: feed it bean by bean, then ask for the families."""

    maximum: int = MAXIMUM
    dropped: Counter[str] = field(default_factory=Counter)
    cached: int = 0  # readings with the outcome of a rule remembered; there are no rules
    _families: dict[str, list[Entry]] = field(default_factory=dict)
    _walker: Walker = field(init=False)

    def __post_init__(self) -> None:
        self._walker = Walker(self.maximum)

    def add(
        self, bean: ObjectName, descriptions: Mapping[str, str | None], values: Mapping[str, Value]
    ) -> None:
        """Take the attributes of one bean."""
        for attribute, value in values.items():
            try:
                for reading in self._walker.attribute(bean, attribute, descriptions.get(attribute), value):
                    self.take(reading)
            except TooMuch:
                self.dropped[Drop.TOO_MANY] += 1

    def take(self, reading: Reading) -> None:
        """Take one reading."""
        if isinstance(reading.value, str):
            return  # text becomes a sample by a rule only
        labels, lost = default_labels(reading)
        if lost:
            self.dropped[Drop.LABEL] += lost
        named = tuple(sorted(labels.items()))
        entry = Entry(named, as_double(reading.value), reading, "untyped", None)
        self._families.setdefault(default_name(reading), []).append(entry)

    def families(self) -> list[Family]:
        """Return everything that was fed, no two samples with the same labels."""
        return [family(name, entries, self.dropped) for name, entries in self._families.items()]


def family(name: str, entries: list[Entry], dropped: Counter[str]) -> Family:
    """Return *entries* as one family; its kind is theirs when they agree. Losses are counted in *dropped*."""
    first, kinds = entries[0], {entry.kind for entry in entries}
    kind: Kind = first.kind if len(kinds) == 1 else "untyped"
    if len({entry.labels for entry in entries}) < len(entries):
        entries = [_told_apart(entry) for entry in entries]
    distinct = {entry.labels: entry.value for entry in reversed(entries)}
    if lost := len(entries) - len(distinct):
        dropped[Drop.SAMPLE] += lost
    samples = [Sample(labels, value) for labels, value in sorted(distinct.items())]
    help = help_text(first.where) if first.help is None else first.help
    return Family(f"{name}_total" if kind == "counter" else name, kind, help, samples)


def _told_apart(entry: Entry) -> Entry:
    labels = {**dict(entry.labels), "_objectname": entry.where.place}
    return entry._replace(labels=tuple(sorted(labels.items())))
