"""Readings of one JVM as families of samples, in the default format of jmx_exporter. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from podmates_metrics.jmx.javatext import as_double
from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.naming import default_labels, default_name, help_text
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.walk import Reading, TooMuch, Walker
from podmates_metrics.sources.base import Family, Labels, Sample

MAXIMUM = 200_000  # readings per JVM; `Drop.TOO_MANY` tells


class Drop:
    """Values of the label `reason`: why a reading, or a label of it, is not on the page."""

    LABEL = "duplicate_label"  # two names of labels became one; the last is there
    SAMPLE = "duplicate_sample"  # even the bean does not tell two samples apart; the first is there
    TOO_MANY = "too_many"  # an attribute, from where the readings exceed the maximum


@dataclass(slots=True)
class Report:
    """What becomes a page: feed it bean by bean, then ask for the families."""

    maximum: int = MAXIMUM
    dropped: Counter[str] = field(default_factory=Counter)
    _families: dict[str, list[tuple[Labels, float, Reading]]] = field(default_factory=dict)
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
                    self._record(reading)
            except TooMuch:
                self.dropped[Drop.TOO_MANY] += 1

    def _record(self, reading: Reading) -> None:
        if isinstance(reading.value, str):
            return  # text becomes a sample by a rule only
        labels, lost = default_labels(reading)
        if lost:
            self.dropped[Drop.LABEL] += lost
        entry = (tuple(sorted(labels.items())), as_double(reading.value), reading)
        self._families.setdefault(default_name(reading), []).append(entry)

    def families(self) -> list[Family]:
        """Return everything that was fed, no two samples with the same labels."""
        return [self._family(name, entries) for name, entries in self._families.items()]

    def _family(self, name: str, entries: list[tuple[Labels, float, Reading]]) -> Family:
        if len({labels for labels, _, _ in entries}) < len(entries):
            entries = [
                (tuple(sorted({**dict(labels), "_objectname": reading.place}.items())), value, reading)
                for labels, value, reading in entries
            ]
        distinct = {labels: value for labels, value, _ in reversed(entries)}
        if lost := len(entries) - len(distinct):
            self.dropped[Drop.SAMPLE] += lost
        samples = [Sample(labels, value) for labels, value in sorted(distinct.items())]
        return Family(name, "untyped", help_text(entries[0][2]), samples)
