"""Events through the rules: lines of a log add up to counters, histograms and summaries that last.

Nothing here asks the clock; every call is told the time.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field

from podmates_metrics.golang import format_float
from podmates_metrics.native.rules import NativeRule
from podmates_metrics.records import Record
from podmates_metrics.rules.judging import Judge, Ruleset
from podmates_metrics.rules.limits import Room
from podmates_metrics.rules.making import Made, Unusable
from podmates_metrics.sources.base import Exemplar, Family, Labels, Sample
from podmates_metrics.statsd.mapping import DEFAULT_NATIVE
from podmates_metrics.statsd.names import escape
from podmates_metrics.statsd.sparse import Sparse
from podmates_metrics.statsd.window import EXACT, Window

SLICES, SLICE = 5, 120.0  # of a summary's window, and seconds of each: ten minutes, as StatsD's have
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


@dataclass(slots=True)
class _Series:
    """The state of one series. *buckets* are not cumulative; the last is for what exceeds every bound."""

    value: float = 0.0  # a sum, for histograms and summaries
    count: int = 0
    seen: float = 0.0  # the clock at the last event
    ttl: float | None = None
    state: str = ""
    own: bool = True  # it counts for the limits; the overflow series does not
    due: float = 0.0  # when the window turns
    window: Window | None = None
    buckets: list[int] = field(default_factory=list)
    native: Sparse | None = None  # the same observations
    exemplars: dict[int, Exemplar] = field(default_factory=dict)  # by bucket; a counter's at 0


@dataclass(slots=True)
class _Family:
    rule: NativeRule  # the first that made it; its kind, help and bounds hold
    unit: str
    series: dict[Labels, _Series] = field(default_factory=dict)


class Kept(Judge):
    """All that the events of a source have come to.

    A record without a number of its own counts 1 for a counter. It is bounded by the limits.
    """

    def __init__(self, rules: Ruleset) -> None:
        super().__init__(rules, self._made)
        self.records = 0
        self.room = Room(rules.limits)
        self._families: dict[str, _Family] = {}
        self._taken: dict[str, str] = {}  # name of a part → its family
        self._names: dict[str, str] = {}  # of families, by the name that escaping makes of it
        self._now = self._wall = 0.0

    def go_on(self, before: Kept) -> None:
        """Add to what *before* has, which takes no event any more, if its rules did the same.

        Where they stood in the file does not matter, nor how the source was called.
        """
        old, new = before.rules.made_of[0], self.rules.made_of[0]
        if _work(self.rules) != _work(before.rules):
            return
        self.records, self.room, self._now = before.records, before.room, before._now
        self._families, self._taken, self._names = before._families, before._taken, before._names
        moved = {str(one.index): str(other.index) for one, other in zip(old, new, strict=True)}
        self.matches.update({moved[rule]: count for rule, count in before.matches.items()})
        self.errors.update({(moved[rule], why): count for (rule, why), count in before.errors.items()})

    def record(self, record: Record, now: float, wall: float) -> bool:
        """Take an event; return whether a rule took it.

        *now* is a clock that never goes back, *wall* the time of day for exemplars; both in seconds.
        """
        self.records += 1
        self._now, self._wall = now, wall
        own = None if record.value is None else format_float(record.value)

        def value(rule: NativeRule) -> str | None:
            return "1" if own is None and rule.kind == "counter" else own

        return self.offer(self.rules.plain, record.fields.get, value)

    def _made(self, made: Made) -> None:
        rule = made.rule
        family = self._families.get(made.name)
        if family is None:
            self._check_name(made.name, rule.kind)
            family = _Family(rule, made.unit)
        elif family.rule.kind != rule.kind:
            raise Unusable("conflict")
        if rule.kind == "counter" and not 0 <= made.value < math.inf:
            raise Unusable("negative_counter")
        if math.isnan(made.value):
            raise Unusable("not_a_number")
        series = family.series.get(made.labels)
        if series is None:
            labels = self.room.take(made.name, rule.kind, made.labels, rule.limit)
            if labels is None:
                return
            series = family.series.get(labels) or self._begin(family, labels, made)
        self._add(series, family.rule, made)

    def _check_name(self, name: str, kind: str) -> None:
        """Refuse a family that would show a name that another one shows."""
        parts = [name + part for part in _PARTS.get(kind, ())]
        if self._names.get(escape(name), name) != name:
            raise Unusable("conflict")  # it would be another's where names are escaped
        if name in self._taken or any(part in self._families or part in self._taken for part in parts):
            raise Unusable("conflict")

    def _begin(self, family: _Family, labels: Labels, made: Made) -> _Series:
        rule, name = family.rule, made.name
        if name not in self._families:
            self._families[name] = family
            self._names[escape(name)] = name
            self._taken |= {name + part: name for part in _PARTS.get(rule.kind, ())}
        series = family.series[labels] = _Series(
            ttl=made.rule.ttl if made.rule.ttl is not None else self.rules.ttl,
            own=labels == made.labels,
            due=self._now + SLICE,
            window=Window(SLICES) if rule.kind == "summary" else None,
            buckets=[0] * (len(rule.buckets) + 1) if rule.kind == "histogram" else [],
            native=Sparse(*DEFAULT_NATIVE) if rule.kind == "histogram" else None,
        )
        return series

    def _add(self, series: _Series, rule: NativeRule, made: Made) -> None:
        value, place = made.value, 0
        series.seen = self._now
        series.state = made.state
        if rule.kind in ("counter", "histogram", "summary"):
            series.value += value
            series.count += 1
        else:
            series.value = value
        if series.buckets:
            place = bisect_left(rule.buckets, value)
            series.buckets[place] += 1
        if series.native is not None:
            series.native.add(value, 1)
        if series.window is not None:
            self._turn(series, series.window)
            series.window.recent.append(value)
            if len(series.window.recent) >= EXACT:
                series.window.fold()
        if made.exemplar:
            series.exemplars[place] = Exemplar(made.exemplar, value, self._wall)

    def _turn(self, series: _Series, window: Window) -> None:
        for _ in range(SLICES):  # after so many turns nothing is left to forget
            if series.due > self._now:
                return
            window.turn()
            series.due += SLICE
        series.due = max(series.due, self._now + SLICE)

    def families(self, now: float) -> list[Family]:
        """Return everything that is kept; series whose time is over go first."""
        self._now = max(self._now, now)
        self._sweep()
        return [self._shown(name, family) for name, family in self._families.items()]

    def _sweep(self) -> None:
        for name, family in list(self._families.items()):
            for labels, series in list(family.series.items()):
                if series.ttl is not None and series.seen + series.ttl < self._now:
                    del family.series[labels]
                    if series.own:
                        self.room.leave(name)
            if not family.series:
                del self._families[name]
                del self._names[escape(name)]
                for part in _PARTS.get(family.rule.kind, ()):
                    del self._taken[name + part]

    def _shown(self, name: str, family: _Family) -> Family:
        rule = family.rule
        shown = Family(name, rule.kind, rule.help or f"From source {self.rules.prefix}.", unit=family.unit)
        for labels, series in family.series.items():
            if rule.kind == "stateset":
                shown.samples += [
                    Sample(tuple(sorted((*labels, (name, state)))), float(state == series.state))
                    for state in rule.states
                ]
            elif series.buckets:
                shown.samples += _histogram(rule.buckets, labels, series)
                if series.native is not None:
                    shown.native[labels] = series.native.copy()
            elif series.window is not None:
                self._turn(series, series.window)
                shown.samples += _summary(rule.quantiles, labels, series)
            else:
                shown.samples.append(Sample(labels, series.value, exemplar=series.exemplars.get(0)))
        return shown


def _work(rules: Ruleset) -> object:
    """Return what is equal for rules that make the same series of the same events."""
    listed, _, _, limits, ttl = rules.made_of
    return [rule.work() for rule in listed], limits, ttl


def _histogram(bounds: tuple[float, ...], labels: Labels, series: _Series) -> list[Sample]:
    made, passed = [], 0
    for place, bound in enumerate((*bounds, math.inf)):
        passed += series.buckets[place]
        own = tuple(sorted((*labels, ("le", format_float(bound)))))
        made.append(Sample(own, float(passed), "_bucket", series.exemplars.get(place)))
    return [*made, *_totals(labels, series)]


def _summary(quantiles: tuple[float, ...], labels: Labels, series: _Series) -> list[Sample]:
    values = series.window.quantiles(quantiles) if series.window is not None else []
    made = [
        Sample(tuple(sorted((*labels, ("quantile", format_float(quantile))))), value)
        for quantile, value in zip(quantiles, values, strict=True)
    ]
    return [*made, *_totals(labels, series)]


def _totals(labels: Labels, series: _Series) -> list[Sample]:
    return [Sample(labels, series.value, "_sum"), Sample(labels, float(series.count), "_count")]
