"""A JVM's MBeans through native rules; what no rule takes is shown in the default format. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from podmates_metrics.jmx.messages import AttributeInfo
from podmates_metrics.jmx.report import Report
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.apply import Applied, as_text
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd.engine import Totals


class RuledBeans:
    """The native rules for one JVM, as its view and as where the view comes from."""

    standard = True

    def __init__(self, rules: Ruleset, source: str) -> None:
        self._rules, self._ledger, self.made_of = rules, Ledger(source), rules.made_of

    def current(self) -> RuledBeans:
        """Return the view for the next scrape."""
        return self

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Return the beans to read: all of them."""
        return list(names)

    def readable(self, bean: str, infos: Sequence[AttributeInfo]) -> list[AttributeInfo]:
        """Return the attributes of a bean to read: all of them."""
        return list(infos)

    def report(self) -> RuledReport:
        """Begin a scrape."""
        return RuledReport(self._rules, self._ledger)

    def families(self) -> list[Family]:
        """Return nothing: what is to be said stands in `totals`."""
        return []

    def totals(self) -> Totals:
        """Return the values of the self metrics about rules."""
        return self._ledger.totals()


class RuledReport(Report):
    """What one scrape brings, by the rules."""

    def __init__(self, rules: Ruleset, ledger: Ledger) -> None:
        super().__init__()
        self.applied = Applied(rules)
        self._ledger = ledger

    def take(self, reading: Reading) -> None:
        """Take one reading."""
        applied, fields = self.applied, fields_of(reading)
        applied.records += 1
        own = partial(_own, as_text(reading.value))
        if not applied.offer(applied.rules.plain, fields.get, own) and applied.rules.expose:
            super().take(reading)

    def families(self) -> list[Family]:
        """Return everything that was fed, and have it counted; to be called once."""
        self._ledger.add(self.applied)
        return [*self.applied.families.values(), *super().families()]


def fields_of(reading: Reading) -> dict[str, str]:
    """Return what rules match: domain, properties, attribute, the dotted path within its value."""
    way = (*reading.keys, reading.attribute)
    own = {"domain": reading.domain, "attribute": way[0], "path": ".".join(way[1:]), "text": reading.place}
    return {**dict(reading.properties), **own, "value": as_text(reading.value) or ""}


def _own(value: str | None, _: NativeRule) -> str | None:
    return value
