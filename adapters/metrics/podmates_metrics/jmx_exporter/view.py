"""A JVM as a jmx_exporter file wants it seen: what to read, and what becomes of it. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from podmates_metrics.jmx.javatext import text
from podmates_metrics.jmx.javavalues import Value
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.report import MAXIMUM, Drop, Entry, family
from podmates_metrics.jmx.walk import Reading, TooMuch, Walker
from podmates_metrics.jmx_exporter.choosing import Chooser
from podmates_metrics.jmx_exporter.configuration import Configuration
from podmates_metrics.jmx_exporter.customizers import Customizer
from podmates_metrics.jmx_exporter.engine import Engine, Extra, Outcome
from podmates_metrics.sources.base import Family


class RuledView(Chooser):
    """How the scrapes of one configuration see a JVM.

    Args:
        configuration: the file.
        standard: the usual ``jvm_*`` metrics are made, too, for which the beans of the platform are read.
    """

    def __init__(self, configuration: Configuration, *, standard: bool) -> None:
        super().__init__(configuration.selection, standard=standard and configuration.standard)
        self.configuration = configuration
        self._engine = Engine(configuration)

    def report(self) -> RuledReport:
        """Begin a scrape."""
        self._engine.begin()
        return RuledReport(self.configuration, self._engine)


class RuledReport:
    """What becomes a page: feed it bean by bean, then ask for the families.

    Attributes:
        dropped: readings and labels that are not on the page, by reason.
        cached: readings whose outcome is that of a rule with `cache`.
    """

    def __init__(self, configuration: Configuration, engine: Engine, maximum: int = MAXIMUM) -> None:
        self.dropped: Counter[str] = Counter()
        self.cached = 0
        self._configuration, self._engine = configuration, engine
        self._walker = Walker(maximum)
        self._families: dict[str, list[Entry]] = {}
        self._waiting: dict[ObjectName, tuple[Customizer, dict[str, Value], Mapping[str, str | None]]] = {}

    def add(
        self, bean: ObjectName, descriptions: Mapping[str, str | None], values: Mapping[str, Value]
    ) -> None:
        """Take the attributes of one bean, or some of them."""
        if not self._configuration.selection.bean(bean):
            return
        found = next((c for c in self._configuration.customizers if c.fits(bean)), None)
        if found:  # labels may come from attributes that come later
            self._waiting.setdefault(bean, (found, {}, descriptions))[1].update(values)
        else:
            self._attributes(bean, descriptions, values, ())

    def take(self, reading: Reading) -> None:
        """Take one reading, of a bean that is wanted and of which nothing else is known."""
        self._record(reading, ())

    def _attributes(
        self,
        bean: ObjectName,
        descriptions: Mapping[str, str | None],
        values: Mapping[str, Value],
        extra: Extra,
    ) -> None:
        wanted = self._configuration.selection.attributes(bean, values)
        for attribute, value in values.items():
            if attribute in wanted:
                self._attribute((bean, attribute, descriptions.get(attribute)), value, extra)

    def _attribute(self, where: tuple[ObjectName, str, str | None], value: Value, extra: Extra) -> None:
        try:
            for reading in self._walker.attribute(*where, value):
                self._record(reading, extra)
        except TooMuch:
            self.dropped[Drop.TOO_MANY] += 1

    def _customized(self) -> None:
        for bean, (customizer, values, descriptions) in self._waiting.items():
            named = {name: text(values[name]) for name in customizer.labels if values.get(name) is not None}
            extra = self._engine.given(named)
            for one in customizer.extras:
                self._attribute((bean, one.name, one.description), one.value, extra)
            self._attributes(bean, descriptions, values, extra)
        self._waiting = {}

    def _record(self, reading: Reading, extra: Extra) -> None:
        outcome, cached = self._engine.decide(reading, extra)
        self.cached += cached
        self._enter(outcome, reading)

    def _enter(self, outcome: Outcome | None, reading: Reading) -> None:
        value = outcome.number(reading) if outcome else None
        if outcome is None or value is None:
            if not isinstance(reading.value, str) and self._engine.too_long(reading):
                self.dropped[Drop.TOO_LONG] += 1
            return
        if outcome.kind == "counter" and value < 0:
            self.dropped[Drop.NEGATIVE] += 1
            return
        if outcome.lost:
            self.dropped[Drop.LABEL] += outcome.lost
        entry = Entry(outcome.labels, value, outcome.where, outcome.kind, outcome.help)
        self._families.setdefault(outcome.name, []).append(entry)

    def families(self) -> list[Family]:
        """Return everything that was fed, no two samples with the same labels."""
        self._customized()
        return [family(name, entries, self.dropped) for name, entries in self._families.items()]
