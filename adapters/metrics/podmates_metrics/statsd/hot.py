"""The hot path in pure Python: raw lines to cells, without parsing what was seen before.

A line is looked up by what stands around its value; only a line never seen, or odd in any way, takes the
slow path, which alone knows the grammar. `podmates_metrics.plane._plane` is this module in C: the same names,
the same results, the same tests. Measured (bench/statsd.py): one dictionary per suffix beats a joined key.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from podmates_metrics.statsd.sparse import Sparse
from podmates_metrics.statsd.window import EXACT, Window

COUNTER, GAUGE, HISTOGRAM, SUMMARY, DEAD = range(5)
COMPILED = False
_SHARED = 1024  # names of which one copy is kept
_NONE: list[Any] = []  # one for all cells that need none: there may be many


class Cell:
    """The state of one series; *seen* is the clock at the last update.

    Args:
        kind: of the five above; observers are made with more room than counters and gauges take.
        bounds: of a histogram's buckets.
        window: of a summary.
        sparse: schema of a native histogram, and its buckets at most.
    """

    __slots__ = ("kind", "seen", "value")
    bounds: tuple[float, ...] = ()
    buckets = _NONE
    count = 0
    recent = _NONE
    sparse: Sparse | None = None
    window: Window | None = None

    def __new__(cls, kind: int, *_: Any) -> Cell:
        return object.__new__(_Observer if kind in (HISTOGRAM, SUMMARY) else cls)

    def __init__(
        self,
        kind: int,
        bounds: tuple[float, ...] = (),
        window: Window | None = None,
        sparse: tuple[int, int] | None = None,
    ) -> None:
        self.kind = kind
        self.value = 0.0  # a sum, for observers
        self.seen = 0.0

    def update(self, value: float, weight: int, relative: bool) -> None:
        """Take a value that is parsed and scaled: the slow path's way in."""
        if self.kind == GAUGE:
            self.value = self.value + value if relative else value
            return
        if not isinstance(self, _Observer):
            self.value += value
            return
        self.value += value if weight == 1 else value * weight
        self.count += weight
        if self.kind == HISTOGRAM:
            self.buckets[bisect_left(self.bounds, value) if value == value else -1] += weight
            if self.sparse is not None:
                self.sparse.add(value, weight)
        elif self.window is not None:
            self.window.add(value, weight)

    def expire(self, before: float) -> bool:
        """Die if the last update was *before* that time; return whether it is so."""
        if self.seen < before:
            self.kind = DEAD  # lines that are remembered find out so
        return self.kind == DEAD

    def read(self) -> tuple[int, float, list[int]]:
        """Return an observer's state at one moment: count, sum, observations in each of its buckets."""
        return self.count, self.value, list(self.buckets)

    def native(self) -> tuple[int, float, Sparse | None]:
        """Return count, sum and exponential buckets of one moment; the last is None without any."""
        return self.count, self.value, self.sparse


class _Observer(Cell):
    """The state of a histogram or summary."""

    __slots__ = ("bounds", "buckets", "count", "recent", "sparse", "window")

    def __init__(
        self,
        kind: int,
        bounds: tuple[float, ...] = (),
        window: Window | None = None,
        sparse: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(kind)
        self.count = 0
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1) if kind == HISTOGRAM else _NONE
        self.sparse = Sparse(*sparse) if sparse is not None else None
        self.window = window
        self.recent = window.recent if window is not None else _NONE


class Tally:
    """How many lines of one sort the fast path took: kind, tagged or not, mapped or not."""

    __slots__ = ("count", "extra")

    def __init__(self) -> None:
        self.count = 0
        self.extra = 0  # observations beyond one per line, by sampling


class Intake:
    """The lines seen so far and where they go.

    Args:
        slow: takes a line that the fast path cannot; it may call `bind`.
        limit: lines remembered; when there are more, all are forgotten and learnt anew.
    """

    def __init__(self, slow: Callable[[bytes, float], None], limit: int) -> None:
        self.lines = 0
        self._slow = slow
        self._limit = limit
        self._size = 0
        self._names: dict[bytes, bytes] = {}  # one copy of those that come with many suffixes
        self._routes: dict[bytes, dict[bytes, tuple[Any, float, float, int, Tally]]] = {}

    def __len__(self) -> int:
        return self._size

    def bind(self, line: bytes, cell: Cell, factors: tuple[float, float, int], tally: Tally) -> None:
        """Remember that *line*, with any other value in its place, goes to *cell*.

        *factors* are what the value is divided by and then multiplied with, and how many observations
        it stands for.
        """
        if self._size >= self._limit:
            self.clear()
        name, _, rest = line.partition(b":")
        names = self._routes.setdefault(rest.partition(b"|")[2], {})
        self._size += name not in names
        if len(self._names) >= _SHARED:
            self._names.clear()  # those that come again are back soon
        names[self._names.setdefault(name, name)] = (cell, *factors, tally)

    def clear(self) -> None:
        """Forget every line: the rules changed, or too many series are gone."""
        self._routes.clear()
        self._names.clear()
        self._size = 0

    def feed(self, data: bytes, now: float) -> None:
        """Take the lines in *data*, separated by newlines; *now* is the clock."""
        routes, slow = self._routes, self._slow
        lines = data.split(b"\n")
        self.lines += len(lines)
        for line in lines:
            name, _, rest = line.partition(b":")
            text, _, suffix = rest.partition(b"|")
            try:
                cell, divisor, scale, weight, tally = routes[suffix][name]
                value = float(text)
            except (KeyError, ValueError):
                slow(line, now)
                continue
            # Python's float takes blanks around, and overflows to infinity; Go's does neither.
            if value - value != 0.0 or text[0] <= 32 or text[-1] <= 32:
                slow(line, now)
                continue
            value = value / divisor * scale
            kind = cell.kind
            if kind == COUNTER and value >= 0.0:
                cell.value += value
            elif kind == GAUGE:
                cell.value = cell.value + value if text[0] in b"+-" else value
            elif kind == HISTOGRAM:
                cell.value += value if weight == 1 else value * weight
                cell.count += weight
                cell.buckets[bisect_left(cell.bounds, value)] += weight
                if cell.sparse is not None:
                    cell.sparse.add(value, weight)
                tally.extra += weight - 1
            elif kind == SUMMARY and weight == 1:
                cell.value += value
                cell.count += 1
                recent = cell.recent
                recent.append(value)
                if len(recent) >= EXACT and cell.window is not None:
                    cell.window.fold()
            else:
                slow(line, now)
                continue
            cell.seen = now
            tally.count += 1
