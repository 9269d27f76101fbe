"""Delimited protobuf: `io.prometheus.client.MetricFamily` messages, each behind its length.

https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto has the field
numbers. A family's name is the series' name, a counter's ``_total`` and an info's ``_info`` included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from podmates_metrics.exposition import wire
from podmates_metrics.exposition.points import Point, given_points, parts, stored_point
from podmates_metrics.exposition.text import PIECE, fresh, short
from podmates_metrics.sources.base import Exemplar, Family, Labels
from podmates_metrics.statsd.sparse import ZERO, Sparse
from podmates_metrics.statsd.store import StoredFamily

_TYPES = {"counter": 0, "gauge": 1, "summary": 2, "untyped": 3, "histogram": 4, "info": 1, "stateset": 1}


def merged(families: Iterable[StoredFamily], others: Mapping[str, Family]) -> Iterator[bytes]:
    """Yield everything by name as `text.merged` does.

    A message can be written only when it is whole; an empty piece stands for `text.PIECE` series of it.
    """
    mine = {family.name: family for family in families if family.series}
    for name in sorted(mine.keys() | others.keys()):
        family, other = mine.get(name), others.get(name)
        if family is not None:
            yield from _stored(family, other)
        elif other is not None:
            yield given(other)


def _stored(family: StoredFamily, other: Family | None) -> Iterator[bytes]:
    write = _WRITERS[family.kind]
    chunks = []
    for number, series in enumerate(family.ordered()):
        if number and number % PIECE == 0:
            yield b""
        chunks.append(_metric(write, stored_point(family, series)))
    if other is not None:
        more = given_points(replace(other, samples=fresh(family, other)))
        chunks += [_metric(write, point) for point in more or ()]
    yield _family(family, chunks)


def given(family: Family) -> bytes:
    """Return the message of a source's family; several when its samples do not fit into one."""
    points = given_points(family)
    if points is None:
        return b"".join(given(part) for part in parts(family))
    write = _WRITERS[family.kind]
    return _family(family, [_metric(write, point) for point in points], family.unit)


def _family(family: Family | StoredFamily, metrics: list[bytes], unit: str = "") -> bytes:
    if not metrics:
        return b""
    head = wire.text(1, family.name) + wire.text(2, family.help) + wire.whole(3, _TYPES[family.kind])
    end = wire.text(5, unit) if unit else b""
    size = len(head) + len(end) + sum(map(len, metrics))
    return b"".join([wire.varint(size), head, *metrics, end])


def _metric(write: Callable[[Point], bytes], point: Point) -> bytes:
    time = b"" if point.timestamp is None else wire.whole(6, round(point.timestamp * 1000))
    return wire.message(4, _labels(point.labels) + write(point) + time)


def _labels(labels: Labels) -> bytes:
    return b"".join([wire.message(1, _name(name) + wire.text(2, value)) for name, value in labels])


@lru_cache(4096)
def _name(name: str) -> bytes:
    return wire.text(1, name)


def _counter(point: Point) -> bytes:
    exemplar = b"".join(_exemplar(2, one) for one in point.exemplars[:1])
    return wire.message(3, wire.double(1, point.value) + exemplar)


def _gauge(point: Point) -> bytes:
    return wire.message(2, wire.double(1, point.value))


def _untyped(point: Point) -> bytes:
    return wire.message(5, wire.double(1, point.value))


def _summary(point: Point) -> bytes:
    quantiles = [wire.message(3, wire.double(1, q) + wire.double(2, value)) for q, value in point.quantiles]
    return wire.message(4, wire.whole(1, point.count) + wire.double(2, point.value) + b"".join(quantiles))


def _histogram(point: Point) -> bytes:
    parts = [wire.whole(1, point.count), wire.double(2, point.value)]
    buckets = [*point.buckets, (math.inf, point.count)]
    if point.exemplars:
        parts += _buckets(buckets, point.exemplars)
    else:
        parts += [wire.message(3, b"\x08" + wire.varint(count) + _bound(bound)) for bound, count in buckets]
    if point.native is not None:
        parts += _native(point.native)
    return wire.message(7, b"".join(parts))


@lru_cache(4096)
def _bound(bound: float) -> bytes:
    """Return an upper bound: a family's series all have the same ones."""
    return wire.double(2, bound)


def _buckets(buckets: list[tuple[float, int]], exemplars: list[Exemplar]) -> Iterator[bytes]:
    """Yield buckets, each with the first exemplar that belongs there."""
    low = -math.inf
    for bound, count in buckets:
        told = b"".join([_exemplar(3, one) for one in exemplars if low < one.value <= bound][:1])
        yield wire.message(3, wire.whole(1, count) + _bound(bound) + told)
        low = bound


def _native(sparse: Sparse) -> Iterator[bytes]:
    """Yield the fields of a native histogram."""
    yield wire.signed(5, sparse.schema)
    yield wire.double(6, ZERO)
    yield wire.whole(7, sparse.zero)
    yield from _side(9, 10, sparse.negative)
    yield from _side(12, 13, sparse.positive)
    if not (sparse.zero or sparse.negative or sparse.positive):
        yield wire.message(
            12, wire.signed(1, 0) + wire.whole(2, 0)
        )  # says that it is one, with nothing in it


def _side(span: int, delta: int, buckets: Mapping[int, int]) -> Iterator[bytes]:
    """Yield runs of buckets and the steps from one count to the next; short gaps are filled with zeros."""
    counts: list[int] = []
    spans: list[list[int]] = []  # offset from the end of the one before, and length
    end = 0
    for key in sorted(buckets):
        gap = key - end
        if not spans or gap > 2:
            spans.append([gap, 0])
            gap = 0
        counts += [0] * gap + [buckets[key]]
        spans[-1][1] += gap + 1
        end = key + 1
    for offset, length in spans:
        yield wire.message(span, wire.signed(1, offset) + wire.whole(2, length))
    for before, count in zip([0, *counts], counts, strict=False):
        yield wire.signed(delta, count - before)


def _exemplar(field: int, exemplar: Exemplar) -> bytes:
    if not short(exemplar):
        return b""
    time = b""
    if exemplar.timestamp is not None:
        seconds, nanoseconds = divmod(round(exemplar.timestamp * 1_000_000_000), 1_000_000_000)
        time = wire.message(3, wire.whole(1, seconds) + wire.whole(2, nanoseconds))
    return wire.message(field, _labels(exemplar.labels) + wire.double(2, exemplar.value) + time)


_WRITERS: dict[str, Callable[[Point], bytes]] = {
    "counter": _counter,
    "gauge": _gauge,
    "info": _gauge,
    "stateset": _gauge,
    "untyped": _untyped,
    "summary": _summary,
    "histogram": _histogram,
}
