"""The series that StatsD events made: which may exist beside which, and when they go.

No event can break the exposition: what would make it inconsistent is refused with a `Refusal`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from podmates_metrics.rules.limits import OVERFLOW
from podmates_metrics.sources.base import Exemplar, Labels
from podmates_metrics.statsd.hot import COUNTER, DEAD, GAUGE, HISTOGRAM, SUMMARY, Cell
from podmates_metrics.statsd.mapping import Shape
from podmates_metrics.statsd.members import SLICES, Members
from podmates_metrics.statsd.pool import Pool
from podmates_metrics.statsd.window import Window

Exemplars = dict[Labels, dict[int, Exemplar]]  # by series and bucket; a counter's at 0

KINDS = {"counter": COUNTER, "gauge": GAUGE, "histogram": HISTOGRAM, "summary": SUMMARY}
KINDS |= dict.fromkeys(("untyped", "info", "stateset"), GAUGE)  # of native rules
_PARTS = ("_sum", "_count", "_bucket")
_MAX_SHAPES = 1_000_000  # (name, label names) pairs told apart; beyond them the count stands still
_MAX_FIRST = 10_000  # of these pairs, observers whose shape is remembered
_MEAN_TEXT = 1000  # characters of names and labels that a series may have when there are `limit` of them
MOST_BEYOND = 20  # overflow series of a family: one for each set of names of labels
MAX_SETS = 1000  # sets that may exist at one time
_NO_EXEMPLARS: Exemplars = {}  # one for all families that have none: there may be many
_NONE_BEYOND: dict[Labels, None] = {}
_OWN_LABEL = {"histogram": "le", "summary": "quantile"}


class Refusal(Enum):
    """Why an event made no series; the values are labels of statsd_exporter_events_error_total."""

    CONFLICT = "conflict"  # counted by statsd_exporter_events_conflict_total instead
    EMPTY = "empty_metric_name"
    NAME = "reserved_name"
    LABEL = "reserved_label"
    LIMIT = "series_limit"


@dataclass(slots=True)
class Series:
    """One label set of a family, and its state."""

    family: StoredFamily
    labels: Labels
    cell: Cell
    ttl: float | None
    text: str = ""  # the labels as the exposition writes them; filled in there
    line: str = ""  # of a counter or gauge, as the exposition wrote it last
    shown: float | None = None  # the value in that line: the very object, so that `is` tells it is still true
    members: Members | None = None  # of a set, whose number of them is the cell's value

    def join(self, member: str = "") -> None:
        """Count the members of a set anew, *member* among them unless it is empty."""
        if self.members is not None:
            if member:
                self.members.add(member)
            self.cell.update(float(self.members.count()), 1, False)

    def tell(self, exemplar: Exemplar) -> None:
        """Keep the event that a counter or a histogram's bucket counted last."""
        value = exemplar.value
        place = bisect_left(self.cell.bounds, value) if value == value else len(self.cell.bounds)
        if self.family.exemplars is _NO_EXEMPLARS:
            self.family.exemplars = {}
        self.family.exemplars.setdefault(self.labels, {})[place] = exemplar


@dataclass(slots=True)
class StoredFamily:
    """All series of a name. Its kind holds for the life of the process, also while it is empty."""

    name: str
    kind: str
    help: str
    series: dict[Labels, Series] = field(default_factory=dict)
    _ordered: list[Series] | None = None
    unit: str = ""  # base unit that *name* ends with
    exemplars: Exemplars = field(default_factory=lambda: _NO_EXEMPLARS)
    beyond: dict[Labels, None] = field(default_factory=lambda: _NONE_BEYOND)  # its overflow series

    @property
    def own(self) -> int:
        """How many series it has, overflow series not among them."""
        return len(self.series) - len(self.beyond)

    def ordered(self) -> list[Series]:
        """Return the series: fewer labels first, then by their values."""
        if len(self.series) < 2:
            return list(self.series.values())
        if self._ordered is None:
            self._ordered = sorted(self.series.values(), key=lambda s: (len(s.labels), s.labels))
        return self._ordered

    def changed(self) -> None:
        """Note that a series came or went."""
        self._ordered = None


@dataclass(slots=True)
class _Turning:
    """A summary whose window turns at *due*."""

    due: float
    series: Series


class Store:
    """The families.

    Args:
        cell: makes the state of a series: `hot.Cell` or its compiled twin.
        reserved: names that the adapter itself exposes.
        limit: series that may exist at one time, with a thousand characters of text each on average;
            0: any number.
        window: seconds that a set remembers its members for.
    """

    def __init__(
        self,
        cell: Callable[..., Cell],
        *,
        reserved: Iterable[str] = (),
        limit: int = 0,
        window: float = 60.0,
    ) -> None:
        self.families: dict[str, StoredFamily] = {}
        self.count = 0  # series
        self.characters = 0  # of names and labels, which senders choose
        self.made = dict.fromkeys(KINDS, 0)  # (name, label names) pairs ever seen, by kind
        self._cell = cell
        self._pool = Pool()
        self._reserved = frozenset(reserved)
        self._limit = limit
        self._slice = window / SLICES
        self._sets = 0  # series that are sets
        self._shapes: set[int] = set()  # hashes, because texts may be long
        self._first: dict[int, Shape] = {}  # of observers, by such a hash
        # One copy of the quantiles of summaries.
        self._wanted: dict[tuple[float, ...], tuple[float, ...]] = {}
        self._mortal: dict[int, Series] = {}  # series with a time to live, by identity
        self._turning: dict[float, deque[_Turning]] = {}  # by the length of a slice: first due, first in

    def series(
        self, name: str, kind: str, labels: dict[str, str], shape: Shape, *, now: float
    ) -> Series | Refusal:
        """Return the series of an event, made if it is new; *kind* is what it becomes: a set is a gauge."""
        members = kind == "set"
        if members:
            kind = "gauge"
        if kind == "observer":
            kind = "histogram" if shape.histogram else "summary"
        family = self.families.get(name)
        if family is not None and family.kind != kind:
            return Refusal.CONFLICT
        key = tuple(sorted(labels.items()))
        found = family.series.get(key) if family is not None else None
        if found is not None:
            return found if members == (found.members is not None) else Refusal.CONFLICT
        refusal = self._refusal(name, kind, labels) or (
            None if family is not None else self._clash(name, kind)
        )
        if members and self._sets >= MAX_SETS:
            refusal = refusal or Refusal.LIMIT
        if refusal:
            return refusal
        if family is None:
            self.characters += len(name)
            family = self.families[name] = StoredFamily(name, kind, shape.help, unit=shape.unit)
        made = self._make(family, key, shape, now)
        if members:
            made.members = Members()
            self._sets += 1
            self._turning.setdefault(self._slice, deque()).append(_Turning(now + self._slice, made))
        return made

    def _refusal(self, name: str, kind: str, labels: dict[str, str]) -> Refusal | None:
        if not name:
            return Refusal.EMPTY
        observer = kind in _OWN_LABEL
        if name in self._reserved or (observer and any(name + p in self._reserved for p in _PARTS)):
            return Refusal.NAME
        own = _OWN_LABEL.get(kind)
        if any(label == own or not label or label.startswith("__") for label in labels):
            return Refusal.LABEL
        room = self._limit * _MEAN_TEXT - self.characters - _length(labels.items()) - len(name)
        if self._limit and (max(self.count, len(self.families)) >= self._limit or room < 0):
            return Refusal.LIMIT
        return None

    def _clash(self, name: str, kind: str) -> Refusal | None:
        """Tell whether a new family would expose a name that another one exposes."""
        parts = {"summary": _PARTS[:2], "histogram": _PARTS}.get(kind, ())
        if any(name + part in self.families for part in parts):
            return Refusal.CONFLICT
        for part in _PARTS:
            whole = self.families.get(name.removesuffix(part)) if name.endswith(part) else None
            if whole is not None and whole.kind in _OWN_LABEL:
                return Refusal.CONFLICT
        return None

    def _make(self, family: StoredFamily, key: Labels, shape: Shape, now: float) -> Series:
        key, ttl = self._pool.share(key), shape.ttl
        names = hash((family.name, tuple(label for label, _ in key)))
        if family.kind in _OWN_LABEL:
            shape = self._alike(names, shape)
        if family.kind == "summary":
            wanted = tuple(quantile for quantile, _ in shape.summary.quantiles)
            window = Window(shape.summary.age_buckets, self._wanted.setdefault(wanted, wanted))
            cell = self._cell(SUMMARY, (), window)
        else:
            bounds = shape.buckets if family.kind == "histogram" else ()
            native = shape.native if family.kind == "histogram" else None
            cell = self._cell(KINDS[family.kind], bounds, None, native)
        cell.seen = now
        series = Series(family, key, cell, ttl)
        if family.kind == "summary":
            length = shape.summary.max_age / shape.summary.age_buckets
            self._turning.setdefault(length, deque()).append(_Turning(now + length, series))
        if ttl is not None:
            self._mortal[id(series)] = series
        family.series[key] = series
        family.changed()
        if key and all(value == OVERFLOW for _, value in key) and len(family.beyond) < MOST_BEYOND:
            family.beyond = {**family.beyond, key: None}
        self.count += 1
        self.characters += _length(key)
        if names not in self._shapes and len(self._shapes) < _MAX_SHAPES:
            self._shapes.add(names)
            self.made[family.kind] += 1
        return series

    def _alike(self, names: int, shape: Shape) -> Shape:
        """Return the shape that observers of this name and these names of labels have: that of the first.

        Buckets that somebody adds up have to be the same, also after a reload.
        """
        first = self._first.get(names)
        if first is None and len(self._first) < _MAX_FIRST:
            self._first[names] = shape
        return first or shape

    def sweep(self, now: float) -> int:
        """Turn the windows that are due and drop the series whose time is over; return how many went."""
        self._turn(now)
        gone = [s for s in self._mortal.values() if s.cell.expire(now - (s.ttl or 0.0))]
        for series in gone:
            del self._mortal[id(series)]
            del series.family.series[series.labels]
            series.family.exemplars.pop(series.labels, None)
            series.family.beyond.pop(series.labels, None)
            series.family.changed()
            self.characters -= _length(series.labels)
            self._sets -= series.members is not None
        self.count -= len(gone)
        if gone and self._limit and len(self.families) > self._limit // 2:
            self._forget_empty()
        return len(gone)

    def _forget_empty(self) -> None:
        """Give up the types of names without series: when there are very many, room counts more."""
        for name in [name for name, family in self.families.items() if not family.series]:
            del self.families[name]
            self.characters -= len(name)

    def _turn(self, now: float) -> None:
        for length, queue in self._turning.items():
            while queue and queue[0].due <= now:
                turning = queue.popleft()
                if turning.series.cell.kind == DEAD:
                    continue
                if (window := turning.series.members or turning.series.cell.window) is not None:
                    window.turn()
                turning.series.join()
                turning.due = max(turning.due, now - length) + length
                queue.append(turning)


def _length(labels: Iterable[tuple[str, str]]) -> int:
    return sum(len(name) + len(value) for name, value in labels)
