"""Quantiles over a sliding window, in bounded memory: exact while few, a digest when many.

A window is a ring of slices; the newest takes the observations, the oldest is dropped at each turn. A
slice keeps up to `EXACT` values as they are and then folds them into weighted means that are finest
near both ends (Dunning's merging t-digest, https://arxiv.org/abs/1902.04023).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

EXACT = 512  # observations that a slice keeps unchanged
_FINENESS = 50.0  # rank error at q: 2·q·(1-q)/this, so 0.04 % at the 99th percentile

Point = tuple[float, int]  # value, how many observations


class Window:
    """The slices of one summary. The newest slice's values are *recent*, which the owner appends to.

    *wanted* are the quantiles that it is shown by, ascending.
    """

    __slots__ = ("_older", "_points", "recent", "wanted")

    def __init__(self, slices: int, wanted: tuple[float, ...] = ()) -> None:
        self.wanted = wanted
        self.recent: list[float] = []
        self._points: list[Point] = []  # the rest of the newest slice
        self._older: list[list[Point]] = [[] for _ in range(slices - 1)]

    def add(self, value: float, weight: int) -> None:
        """Take *weight* equal observations."""
        self._points.append((value, weight))
        if len(self._points) >= EXACT:
            self.fold()

    def fold(self) -> None:
        """Make room: called by the owner when *recent* has grown to `EXACT`."""
        self._points = fold([*self._points, *((value, 1) for value in self.recent)])
        self.recent.clear()

    def turn(self) -> None:
        """Begin a new slice and forget the oldest; the list *recent* stays the same object."""
        if self._older:
            self._older.pop()
            self._older.insert(0, [*self._points, *((value, 1) for value in self.recent)])
        self._points = []
        self.recent.clear()

    def below(self, least: float) -> bool:
        """Tell whether an observation is less than *least*."""
        points = [self._points, *self._older]
        return any(v < least for v in self.recent) or any(v < least for part in points for v, _ in part)

    def shown(self) -> list[tuple[float, float]]:
        """Return every quantile that is wanted with its value."""
        return list(zip(self.wanted, self.quantiles(self.wanted), strict=True))

    def quantiles(self, wanted: Sequence[float]) -> list[float]:
        """Return the nearest-rank values: NaN each when the window is empty."""
        points = [point for part in self._older for point in part]
        points += self._points
        points += [(value, 1) for value in self.recent]
        return nearest_rank(points, wanted)


def nearest_rank(points: Iterable[Point], wanted: Sequence[float]) -> list[float]:
    """Return for each quantile q the value at rank ceil(q·n) of the n observations; *wanted* ascends.

    Observations that are no number have no rank and are left out; sorting would put them anywhere.
    """
    ordered = _numbers(points)
    if not ordered:
        return [math.nan] * len(wanted)
    total = sum([weight for _, weight in ordered])
    ranks = [max(1, math.ceil(quantile * total)) for quantile in wanted]
    if total == len(ordered):  # each counts once, as long as there are few
        return [ordered[min(rank, total) - 1][0] for rank in ranks]
    found: list[float] = []
    passed, position = 0, -1
    for rank in ranks:
        while passed < rank and position + 1 < len(ordered):
            position += 1
            passed += ordered[position][1]
        found.append(ordered[position][0])
    return found


def fold(points: list[Point]) -> list[Point]:
    """Return some 300 weighted means that stand for *points*; the extremes stay as they are."""
    ordered = _numbers(points)
    total = sum(weight for _, weight in ordered)
    folded: list[Point] = []
    before = 0  # observations in what is folded already
    value, weight = 0.0, 0
    for more, count in ordered:
        share = (before + (weight + count) / 2) / total
        room = 4 * total * share * (1 - share) / _FINENESS
        if weight and (weight + count > max(1.0, room) or math.isinf(value) or math.isinf(more)):
            folded.append((value, weight))
            before += weight
            value, weight = 0.0, 0
        value = more if not weight else value + (more - value) * count / (weight + count)
        weight += count
    return [*folded, (value, weight)] if weight else folded


def _numbers(points: Iterable[Point]) -> list[Point]:
    return sorted([point for point in points if point[0] == point[0]])
