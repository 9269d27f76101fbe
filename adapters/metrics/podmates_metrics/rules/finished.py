"""A JVM's MBeans through native rules, finished as jmx_exporter finishes its series. No I/O.

For files that were converted: names, types, helps and duplicates are those that dashboards know.
"""

from __future__ import annotations

from podmates_metrics.jmx.naming import help_text, safe, stripped
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.jmx_exporter.configuration import Configuration
from podmates_metrics.jmx_exporter.engine import Engine, Extra, Outcome
from podmates_metrics.jmx_exporter.rules import Rule, java_double
from podmates_metrics.jmx_exporter.view import RuledReport, RuledView
from podmates_metrics.native.jvms import EVERYTHING, Finish, Seen
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.rules.beans import ByRules, RuledBeans, looked_at
from podmates_metrics.rules.judging import Judge, Ruleset
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.rules.limits import Room
from podmates_metrics.rules.making import Answer, Unusable
from podmates_metrics.sources.base import Family, Kind


def views(rules: Ruleset, source: str, seen: Seen | None) -> RuledBeans | FinishedBeans:
    """Return how *rules* see the JVM called *source*."""
    seen = seen or EVERYTHING
    return RuledBeans(rules, source, seen) if seen.finish is None else FinishedBeans(rules, source, seen)


class FinishedBeans(ByRules, RuledView):
    """The native rules for one JVM."""

    def __init__(self, rules: Ruleset, source: str, seen: Seen) -> None:
        ByRules.__init__(self, rules, source, seen)
        finish = seen.finish or Finish()
        configuration = Configuration(
            selection=seen.selection,
            rules=(Rule(),) if rules.expose else (),
            lower_names=finish.lower_names,
            lower_labels=finish.lower_labels,
            infer_counters=finish.infer_counters,
            standard=seen.standard,
        )
        RuledView.__init__(self, configuration, standard=True)

    def report(self) -> FinishedReport:
        """Begin a scrape."""
        self._engine.begin()
        applied = Finishing(self._rules, self.configuration)
        return FinishedReport(self.configuration, self._engine, applied, self._ledger)


class Finishing(Judge):
    """Offers readings to rules; *made* is what the last one became."""

    def __init__(self, rules: Ruleset, configuration: Configuration) -> None:
        super().__init__(rules, lambda made: None)
        self.records, self.room = 0, Room(rules.limits)
        self.made: list[Outcome] = []
        self._configuration = configuration
        self._reading = Reading("", (), (), "", None, 0)

    def take(self, reading: Reading) -> bool:
        """Offer a reading; return whether a rule matched."""
        self.records += 1
        self._reading, self.made = reading, []
        return self.offer(self.rules.plain, looked_at(reading), lambda _: None)

    def _make(self, rule: NativeRule, answer: Answer, own: str | None) -> str:
        try:
            self.made.append(self._outcome(rule, answer))
        except Unusable as error:
            self.errors[str(rule.index), str(error)] += 1
            return str(error)
        return ""

    def _outcome(self, rule: NativeRule, answer: Answer) -> Outcome:
        value = None
        if rule.value is not None:
            try:
                value = java_double(rule.value.fill(answer) or "")
            except ValueError:
                raise Unusable("not_a_number") from None
        filled = rule.name.fill(answer)
        if filled is None:
            raise Unusable("missing_field")
        name = safe(filled)
        if not name:
            raise Unusable("empty_name")
        name = name.lower() if self._configuration.lower_names else name
        infer = self._configuration.infer_counters and name.endswith("_total")
        kind: Kind = "counter" if infer else rule.kind
        labels = []
        for key, template in rule.labels:
            text = template.fill(answer)
            if text is None:
                raise Unusable("missing_field")
            labels += [(key, text)] if text else []
        help = rule.help or help_text(self._reading)
        return Outcome(stripped(name), kind, tuple(labels), help, value, rule.scale, self._reading, 0)


class FinishedReport(RuledReport):
    """What one scrape brings, by the rules."""

    def __init__(
        self, configuration: Configuration, engine: Engine, applied: Finishing, ledger: Ledger
    ) -> None:
        super().__init__(configuration, engine)
        self.applied, self._ledger = applied, ledger

    def _record(self, reading: Reading, extra: Extra) -> None:
        if not self.applied.take(reading):
            super()._record(reading, extra)
        for outcome in self.applied.made:
            self._enter(outcome, reading)

    def families(self) -> list[Family]:
        """Return everything that was fed, and have it counted; to be called once."""
        found = super().families()
        self.applied.room.series.update({family.name: len(family.samples) for family in found})
        self._ledger.add(self.applied)
        return found
