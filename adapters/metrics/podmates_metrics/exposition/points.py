"""Families as points: one for each label set, with the parts of a histogram or a summary put together.

What text formats write as lines, protobuf and OTLP have as one message each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from podmates_metrics.golang import parse_float
from podmates_metrics.sources.base import Exemplar, Family, Labels, Sample
from podmates_metrics.statsd.sparse import Sparse
from podmates_metrics.statsd.store import Series, StoredFamily

_OWN_LABEL = {"histogram": "le", "summary": "quantile"}
_MOST = 2**53  # a count up to which a float tells one from the next


@dataclass(slots=True)
class Point:
    """The state of one label set."""

    labels: Labels
    value: float  # of a histogram or a summary the sum
    count: int = 0  # the rest is for these two only
    buckets: list[tuple[float, int]] = field(default_factory=list)  # upper bound, cumulative; without +Inf
    quantiles: list[tuple[float, float]] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    native: Sparse | None = None  # the same observations in exponential buckets
    timestamp: float | None = None  # seconds since 1970


def stored_point(family: StoredFamily, series: Series) -> Point:
    """Return the point of a StatsD series."""
    cell = series.cell
    if family.kind == "histogram":
        _, _, counts = cell.read()  # first: the count may grow meanwhile, but must not be less than these
        count, value, native = cell.native()
        point = Point(series.labels, value, count, native=native, exemplars=_told(family, series))
        passed = 0
        for bound, more in zip(cell.bounds, counts, strict=False):
            passed += more
            point.buckets.append((bound, passed))
        return point
    point = Point(series.labels, cell.value, cell.count, exemplars=_told(family, series))
    if family.kind == "summary":
        point.quantiles = cell.window.shown() if cell.window is not None else []
    return point


def _told(family: StoredFamily, series: Series) -> list[Exemplar]:
    return list(family.exemplars.get(series.labels, {}).values())


def given_points(family: Family) -> list[Point] | None:
    """Return the points of a source's family; None when its samples do not make whole ones.

    A histogram needs its count, its sum and cumulative buckets, all counts whole, or it is no histogram.
    """
    if family.kind not in _OWN_LABEL:
        if any(sample.suffix for sample in family.samples):
            return None
        return [_single(sample) for sample in family.samples]
    groups: dict[Labels, list[Sample]] = {}
    own = _OWN_LABEL[family.kind]
    for sample in family.samples:
        labels = tuple(pair for pair in sample.labels if pair[0] != own)
        groups.setdefault(labels, []).append(sample)
    made = [_whole(labels, samples, family.kind) for labels, samples in groups.items()]
    points = [point for point in made if point is not None]
    for point in points if family.native else ():
        point.native = family.native.get(point.labels)
    return points if len(points) == len(made) else None


def parts(family: Family) -> Iterator[Family]:
    """Yield the samples of each suffix as a family without type: nothing is lost."""
    found: dict[str, Family] = {}
    for sample in family.samples:
        name = family.name + sample.suffix
        part = found.setdefault(name, Family(name, "untyped", family.help))
        part.samples.append(replace(sample, suffix=""))
    yield from found.values()


def _single(sample: Sample) -> Point:
    exemplars = [sample.exemplar] if sample.exemplar is not None else []
    return Point(sample.labels, sample.value, exemplars=exemplars, timestamp=sample.timestamp)


def _whole(labels: Labels, samples: list[Sample], kind: str) -> Point | None:
    parts = {sample.suffix: sample.value for sample in samples if sample.suffix in ("_sum", "_count")}
    marked = list(_marked(samples, kind))
    if len(parts) + len(marked) < len(samples) or len(parts) < 2 or not _is_count(parts["_count"]):
        return None
    count = int(parts["_count"])
    point = Point(labels, parts["_sum"], count, timestamp=samples[0].timestamp)
    point.exemplars = [sample.exemplar for sample in samples if sample.exemplar is not None]
    if kind == "summary":
        point.quantiles = marked
        return point
    if not all(_is_count(number) for _, number in marked):
        return None
    below = [(bound, int(number)) for bound, number in marked if bound != math.inf]
    rising = [number for _, number in below]
    if dict(marked).get(math.inf, count) != count or [*rising, count] != sorted([*rising, count]):
        return None
    point.buckets = below
    return point


def _marked(samples: list[Sample], kind: str) -> Iterator[tuple[float, float]]:
    """Yield bounds with counts, or quantiles with values, ascending."""
    own, suffix = _OWN_LABEL[kind], "_bucket" if kind == "histogram" else ""
    found = {}
    for sample in samples:
        if sample.suffix == suffix:
            try:
                found[parse_float(dict(sample.labels).get(own, ""))] = sample.value
            except ValueError:
                continue
    yield from sorted(found.items())


def _is_count(number: float) -> bool:
    return 0 <= number <= _MOST and number == int(number)
