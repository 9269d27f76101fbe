"""A page through the rules: records to families of samples, with every miss counted.

A page is asked for at every scrape and tells what is so now; `keeping` is for sources that tell what happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from podmates_metrics.golang import format_float
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.records import Record
from podmates_metrics.rules.index import Index
from podmates_metrics.rules.judging import Judge, Ruleset
from podmates_metrics.rules.limits import Room
from podmates_metrics.rules.making import Answer, Made, Unusable
from podmates_metrics.rules.paths import Json, Node, double, look, numbers
from podmates_metrics.sources.base import Exemplar, Family, Labels, Sample
from podmates_metrics.statsd.names import escape


class Applied(Judge):
    """What a page gave: feed it with one document, or with records, then take the families."""

    def __init__(self, rules: Ruleset) -> None:
        super().__init__(rules, self._made)
        self.families: dict[str, Family] = {}
        self.records = 0
        self.file = ""  # what the records are from, the field `@file`; empty: no file
        self.room = Room(rules.limits)
        self._names: dict[str, str] = {}  # of families, by the name that escaping makes of it
        self._seen: dict[tuple[str, Labels], int] = {}  # series → position in its family

    def offer(self, index: Index, look: Answer, own: Callable[[NativeRule], str | None]) -> bool:
        """Offer a record, as `Judge` does."""
        if not self.file:
            return super().offer(index, look, own)
        return super().offer(index, lambda name: self.file if name == "@file" else look(name), own)

    def document(self, document: Json) -> None:
        """Take a whole page of JSON."""
        for path, index in self.rules.chosen:
            for node in path.find(document):
                self.records += 1
                self.offer(index, partial(text_at, node), partial(_own, as_text(node.value)))
        if self.rules.plain or self.rules.expose:
            for path_text, number in numbers(document):
                if number is None:
                    self.errors["", "long_path"] += 1
                    continue
                fields = {"path": path_text, "value": format_float(number), "text": path_text}
                self.record(Record(fields, number))

    def record(self, record: Record) -> None:
        """Take one line, row or number; without a rule for it, its number is exposed by its name."""
        self.records += 1
        own = None if record.value is None else format_float(record.value)
        if self.offer(self.rules.plain, record.fields.get, partial(_own, own)):
            return
        if self.rules.expose and record.value is not None:
            name = f"{self.rules.prefix}_{escape(record.fields['text'])}"
            family = Family(name, "untyped", "")
            if not self._alone(name) or not self._add(family, Sample((), record.value), None):
                self.errors["", "duplicate"] += 1

    def _made(self, made: Made) -> None:
        rule = made.rule
        family = self.families.get(made.name) or Family(made.name, rule.kind, rule.help, unit=made.unit)
        if family.kind != rule.kind or not self._alone(made.name):
            raise Unusable("conflict")
        if rule.kind == "stateset":
            samples = [
                Sample(tuple(sorted((*made.labels, (made.name, state)))), float(state == made.state))
                for state in rule.states
            ]
        else:
            exemplar = Exemplar(made.exemplar, made.value) if made.exemplar else None
            samples = [Sample(made.labels, made.value, exemplar=exemplar)]
        for sample in samples:
            if not self._add(family, sample, rule.limit):
                raise Unusable("duplicate")

    def _alone(self, name: str) -> bool:
        """Tell whether no other family has this name where names are escaped."""
        return name in self.families or self._names.setdefault(escape(name), name) == name

    def _add(self, family: Family, sample: Sample, limit: int | None) -> bool:
        """Add a sample, or add to the overflow series; return False for a series that is there already."""
        name = family.name
        if (name, sample.labels) in self._seen:
            return False
        labels = self.room.take(name, family.kind, sample.labels, limit)
        if labels is None:
            return True
        if name not in self.families:
            family.help = family.help or f"From source {self.rules.prefix}."
            self.families[name] = family
        position = self._seen.get((name, labels))
        if position is None:
            self._seen[name, labels] = len(family.samples)
            family.samples.append(replace(sample, labels=labels))
        else:
            before = family.samples[position]
            family.samples[position] = replace(before, value=before.value + sample.value)
        return True


def _own(value: str | None, _: NativeRule) -> str | None:
    return value


def text_at(node: Node, name: str) -> str | None:
    """Return a member as text; None for nothing, null, objects and lists.

    ``{value}`` and ``{text}`` are the place itself, where it has no member of that name.
    """
    try:
        return as_text(look(node, name))
    except LookupError:
        return as_text(node.value) if name in ("value", "text") else None


def as_text(value: Json) -> str | None:
    """Return a single JSON value as text, numbers in their shortest form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 63 else format_float(double(value))
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value if isinstance(value, str) else None
