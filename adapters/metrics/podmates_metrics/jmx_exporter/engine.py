"""Readings to samples by the rules of a jmx_exporter file. No I/O.

What a rule makes of a reading mostly does not depend on the number in it, which can be told from its pattern
(`Rule.blind`). Then the outcome is remembered, and a scrape costs a look-up for each number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from podmates_metrics.jmx.javatext import as_double, text
from podmates_metrics.jmx.naming import help_text, label, safe, stripped
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.jmx_exporter.configuration import Configuration
from podmates_metrics.jmx_exporter.patterns import Groups
from podmates_metrics.jmx_exporter.rules import Rule, java_double
from podmates_metrics.sources.base import Kind, Labels

Extra = tuple[tuple[str, str], ...]  # labels that a customizer gives the bean, names as they are to be
_NO_GROUPS: Groups = ("",)
_ROOM = 32  # characters of a number and what stands before it


class Outcome(NamedTuple):
    """What becomes of readings from one place.

    Attributes:
        value: of the rule; None for that of the reading.
        where: the reading as the rule saw it.
        lost: labels that had the name of another one.
    """

    name: str
    kind: Kind
    labels: Labels
    help: str
    value: float | None
    factor: float
    where: Reading
    lost: int

    def number(self, reading: Reading) -> float | None:
        """Return the number of the sample; None when a text was read and the rule gives no value."""
        if self.value is not None:
            return self.value * self.factor
        if isinstance(reading.value, str):
            return None
        if isinstance(reading.value, bool):
            return float(reading.value)
        return as_double(reading.value) * self.factor


class Decision(NamedTuple):
    """The outcome, None for no sample; and whether a rule with `cache` had part in it."""

    outcome: Outcome | None
    cached: bool


Key = tuple[str, tuple[tuple[str, str], ...], tuple[str, ...], str, Extra]


class Engine:
    """Decides by one configuration; remembers from one scrape to the next."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration, self._rules = configuration, configuration.rules
        # Only a rule with a value makes a sample of a text; those with `cache` count what they saw.
        self._texts = any(rule.value or rule.cache for rule in self._rules)
        longest = [rule.pattern.longest for rule in self._rules if rule.pattern]
        self._longest = min(longest, default=1 << 30)
        self._known: dict[Key, Decision] = {}
        self._seen: dict[Key, Decision] = {}

    def begin(self) -> None:
        """Begin a scrape: forget what the one before did not meet."""
        if self._seen:
            self._known, self._seen = self._seen, {}

    def too_long(self, reading: Reading) -> bool:
        """Whether a pattern did not look at *reading* because its name is too long."""
        return len(reading.place) >= self._longest - _ROOM

    def decide(self, reading: Reading, extra: Extra) -> Decision:
        """Return what becomes of *reading*."""
        if isinstance(reading.value, str) and not self._texts:
            return Decision(None, cached=False)
        if isinstance(reading.value, str):
            return self._decide(reading, extra)[0]
        key = (reading.domain, reading.properties, reading.keys, reading.attribute, extra)
        known = self._seen.get(key) or self._known.get(key)
        if known is None:
            known, stays = self._decide(reading, extra)
            if not stays:
                return known
        self._seen[key] = known
        return known

    def _decide(self, reading: Reading, extra: Extra) -> tuple[Decision, bool]:
        """Return the decision, and whether it is the same whatever the number."""
        stays, cached = True, False
        subjects: dict[tuple[bool, bool], str] = {}
        for rule in self._rules:
            stays, cached = stays and rule.blind, cached or rule.cache
            groups: Groups | None = _NO_GROUPS
            if rule.pattern:
                kind = (rule.snake, rule.cache)
                subject = subjects.get(kind) or subjects.setdefault(kind, _subject(reading, rule))
                groups = rule.pattern.match(subject)
            if groups is not None:
                outcome, final = self._outcome(rule, groups, reading, extra)
                return Decision(outcome, cached and not final), stays and (rule.cache or not rule.whole)
        return Decision(None, cached), stays

    def _outcome(
        self, rule: Rule, groups: Groups, reading: Reading, extra: Extra
    ) -> tuple[Outcome | None, bool]:
        """Return what *rule* makes of a reading; and whether it wants it dropped for good."""
        value = None
        if rule.value:
            try:
                value = java_double(rule.value.expand(groups))
            except ValueError:
                return None, True
        where = reading._replace(attribute=snake_case(reading.attribute)) if rule.snake else reading
        name = safe(rule.name.expand(groups)) if rule.name else _default_name(where)
        if not name:
            return None, True
        if self._configuration.lower_names:
            name = name.lower()
        infer = self._configuration.infer_counters and name.endswith("_total")
        kind: Kind = "counter" if infer else rule.kind
        labels, lost = self._labels(rule, groups, reading, extra)
        help = rule.help.expand(groups) if rule.help else help_text(reading)
        return Outcome(stripped(name), kind, labels, help, value, rule.factor, where, lost), False

    def _labels(self, rule: Rule, groups: Groups, reading: Reading, extra: Extra) -> tuple[Labels, int]:
        found, count = dict(extra), len(extra)
        if rule.name:
            pairs = [(safe(name.expand(groups)), value.expand(groups)) for name, value in rule.labels]
            pairs = [(name, value) for name, value in pairs if name and value]
        else:
            pairs = [(safe(name), value) for name, value in reading.properties[1:]]
        for name, value in pairs:
            count += 1
            found[self.label(name)] = value
        return tuple(sorted(found.items())), count - len(found)

    def label(self, name: str) -> str:
        """Return *name* as the name of a label."""
        made = label(name)
        return made.lower() if self._configuration.lower_labels else made

    def given(self, attributes: Mapping[str, str]) -> Extra:
        """Return labels from attributes of a bean."""
        return tuple({self.label(name): value for name, value in attributes.items()}.items())


def _subject(reading: Reading, rule: Rule) -> str:
    """Return what patterns look at."""
    where = reading._replace(attribute=snake_case(reading.attribute)) if rule.snake else reading
    return f"{where.place}: {'<cache>' if rule.cache else text(reading.value)}"


def _default_name(where: Reading) -> str:
    first = [where.properties[0][1]] if where.properties else []
    return safe("_".join([where.domain, *first, *where.keys, where.attribute]))


def snake_case(name: str) -> str:
    """Return *name* in small letters, with ``_`` where a capital began a word."""
    made, before = [], True
    for letter in name:
        capital = letter.isupper()
        made.append("_" + letter.lower() if capital and not before else letter.lower())
        before = capital or letter == "_"
    return "".join(made)
