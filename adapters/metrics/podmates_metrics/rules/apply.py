"""A JSON document through the rules: records to families of samples, with every miss counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from podmates_metrics.golang import format_float, parse_float
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.records import Record
from podmates_metrics.rules.paths import Json, Node, look, numbers
from podmates_metrics.rules.patterns import Capture
from podmates_metrics.sources.base import Family, Kind, Labels, Sample
from podmates_metrics.statsd.names import escape

MAX_SERIES = 50_000  # of one page
MAX_LABEL = 1024  # characters of a label's value; the rest is cut off


class Applied:
    """What a page gave.

    Args:
        rules: those for this source, in file order.
        prefix: begins the names of numbers that no rule takes, when *expose* is set.
    """

    def __init__(self, rules: Sequence[NativeRule], prefix: str, *, expose: bool) -> None:
        self._rules, self._prefix, self._expose = rules, prefix, expose
        self._plain = [rule for rule in rules if rule.each is None]
        self.families: dict[str, Family] = {}
        self.records = 0
        self.matches: Counter[str] = Counter()  # by rule
        self.errors: Counter[tuple[str, str]] = Counter()  # by rule and reason
        self._seen: set[tuple[str, Labels]] = set()

    def document(self, document: Json) -> None:
        """Take a whole page."""
        for rule in self._rules:
            if rule.each is not None:
                for node in rule.each.find(document):
                    self.records += 1
                    self._take(rule, partial(text_at, node), node.value)
        if self._plain or self._expose:
            for path, number in numbers(document):
                fields = {"path": path, "value": format_float(number), "text": path}
                self.record(Record(fields, number))

    def record(self, record: Record) -> None:
        """Take one line, row or number; without a rule for it, its number is exposed by its name."""
        self.records += 1
        for rule in self._plain:
            if self._take(rule, record.fields.get, record.value):
                return
        if self._expose and record.value is not None:
            name = f"{self._prefix}_{escape(record.fields['text'])}"
            self._add("", name, (), (record.value, "untyped", ""))

    def _take(self, rule: NativeRule, field: Callable[[str], str | None], value: Json) -> bool:
        """Offer a record to *rule*; return whether all of its patterns match."""
        captured: Capture = {}
        for key, pattern in rule.match:
            text = field(key)
            found = pattern.match(text) if text is not None else None
            if found is None:
                return False
            captured |= found
        label = str(rule.index)
        self.matches[label] += 1

        def answer(name: str) -> str | None:
            return captured[name] if name in captured else field(name)

        name = rule.name.fill(answer)
        labels = [(key, template.fill(answer)) for key, template in rule.labels]
        number = _number_of(rule.value.fill(answer) if rule.value else as_text(value))
        if not name or any(text is None for _, text in labels):
            self.errors[label, "missing_field"] += 1
        elif number is None:
            self.errors[label, "not_a_number"] += 1
        else:
            clean = tuple((key, (text or "")[:MAX_LABEL]) for key, text in labels)
            self._add(label, escape(name), clean, (number, rule.kind, rule.help))
        return True

    def _add(self, rule: str, name: str, labels: Labels, what: tuple[float, Kind, str]) -> None:
        number, kind, help = what
        family = self.families.get(name)
        if family is None:
            family = self.families[name] = Family(name, kind, help or f"From source {self._prefix}.")
        if family.kind != kind:
            self.errors[rule, "conflict"] += 1
        elif (name, labels) in self._seen:
            self.errors[rule, "duplicate"] += 1
        elif len(self._seen) >= MAX_SERIES:
            self.errors[rule, "series_limit"] += 1
        else:
            self._seen.add((name, labels))
            family.samples.append(Sample(labels, number))


def text_at(node: Node, name: str) -> str | None:
    """Return a member as text; None for nothing, null, objects and lists."""
    try:
        return as_text(look(node, name))
    except LookupError:
        return None


def as_text(value: Json) -> str | None:
    """Return a single JSON value as text, numbers in their shortest form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 63 else format_float(float(value))
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value if isinstance(value, str) else None


def _number_of(text: str | None) -> float | None:
    if text is None:
        return None
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    try:
        return parse_float(text.strip())
    except ValueError:
        return None
