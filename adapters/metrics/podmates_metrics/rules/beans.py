"""A JVM's MBeans through native rules; what no rule takes is shown in the default format. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Self

from podmates_metrics.jmx.javatext import text
from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.report import Report
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.jmx_exporter.choosing import Chooser
from podmates_metrics.jmx_exporter.selection import Selection
from podmates_metrics.native.jvms import EVERYTHING, Seen
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.apply import Applied, as_text
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.rules.making import Answer
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd.engine import Totals


class ByRules:
    """What views by native rules have in common: each is where it comes from as well."""

    def __init__(self, rules: Ruleset, source: str, seen: Seen) -> None:
        self._rules, self._ledger, self.made_of = rules, Ledger(source), (rules.made_of, seen)

    def current(self) -> Self:
        """Return the view for the next scrape."""
        return self

    def families(self) -> list[Family]:
        """Return nothing: what is to be said stands in `totals`."""
        return []

    def totals(self) -> Totals:
        """Return the values of the self metrics about rules."""
        return self._ledger.totals()


class RuledBeans(ByRules, Chooser):
    """The native rules for one JVM."""

    def __init__(self, rules: Ruleset, source: str, seen: Seen = EVERYTHING) -> None:
        ByRules.__init__(self, rules, source, seen)
        Chooser.__init__(self, seen.selection, standard=seen.standard)

    def report(self) -> BeansReport:
        """Begin a scrape."""
        return BeansReport(self._rules, self._ledger, self.selection)


class BeansReport(Report):
    """What one scrape brings, by the rules."""

    def __init__(self, rules: Ruleset, ledger: Ledger, selection: Selection) -> None:
        super().__init__()
        self.applied = Applied(rules)
        self._ledger, self._selection = ledger, selection

    def add(
        self, bean: ObjectName, descriptions: Mapping[str, str | None], values: Mapping[str, Value]
    ) -> None:
        """Take the attributes of one bean; some are read for the usual metrics only."""
        if self._selection.bean(bean):
            wanted = self._selection.attributes(bean, values)
            super().add(bean, descriptions, {name: value for name, value in values.items() if name in wanted})

    def take(self, reading: Reading) -> None:
        """Take one reading."""
        applied = self.applied
        applied.records += 1
        own = partial(_own, as_text(reading.value))
        if not applied.offer(applied.rules.plain, looked_at(reading), own) and applied.rules.expose:
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


def looked_at(reading: Reading) -> Answer:
    """Return what answers the fields; ``line``, which few rules look at, is made when it is asked for."""
    fields = fields_of(reading)

    def look(name: str) -> str | None:
        return line_of(reading) if name == "line" else fields.get(name)

    return look


def line_of(reading: Reading) -> str:
    """Return what jmx_exporter's patterns look at: place and value, as Java writes it."""
    return f"{reading.place}: {text(reading.value)}"


def _own(value: str | None, _: NativeRule) -> str | None:
    return value
