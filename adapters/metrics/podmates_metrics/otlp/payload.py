"""OTLP's JSON: families as metrics, cut into requests of bounded size.

https://opentelemetry.io/docs/specs/otlp/ and the protobuf JSON mapping: 64-bit whole numbers are strings, and
what is no finite number is a word. All sums are cumulative, so a push that is lost costs a moment, no count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from podmates_metrics.exposition.points import Point, given_points, parts, stored_point
from podmates_metrics.exposition.text import fresh
from podmates_metrics.sources.base import Exemplar, Family, Labels
from podmates_metrics.statsd.store import StoredFamily

PIECE = 500  # points of one piece: a few milliseconds of work
MAX_REQUEST = 1 << 20  # characters of a request, about: it ends with the piece that goes beyond
_UNITS = {"seconds": "s", "bytes": "By", "ratio": "1", "percent": "%", "celsius": "Cel", "meters": "m"}
_CUMULATIVE = 2
_SCOPE = "podmates-metrics"


class Moment(NamedTuple):
    """Nanoseconds since 1970."""

    start: int  # when the adapter began to count
    now: int


class Piece(NamedTuple):
    """Some points of one metric."""

    text: str  # JSON of the metric
    points: int


def pieces(
    stored: Iterable[StoredFamily], others: Mapping[str, Family], own: Mapping[str, Family], moment: Moment
) -> Iterator[Piece]:
    """Yield everything, StatsD's families first; see `exposition.page.page` for the arguments."""
    mine = {family.name: family for family in stored if family.series}
    for name, family in mine.items():
        series = family.ordered()
        for at in range(0, len(series), PIECE):
            made = [stored_point(family, one) for one in series[at : at + PIECE]]
            yield _piece(Family(name, "untyped", family.help), family.kind, made, moment)
    for family_given in [*others.values(), *own.values()]:
        more = family_given
        if more.name in mine:
            more = replace(more, samples=fresh(mine[more.name], more))
        yield from _given(more, moment)


def _given(family: Family, moment: Moment) -> Iterator[Piece]:
    points = given_points(family)
    if points is None:
        for part in parts(family):
            yield from _given(part, moment)
        return
    # Whose counter falls below 0 does not count anything that a sum could tell.
    sound = family.kind != "counter" or all(point.value >= 0 for point in points)
    start = moment._replace(start=0)  # when the application began is not known
    for at in range(0, len(points), PIECE):
        yield _piece(family, family.kind if sound else "gauge", points[at : at + PIECE], start)


def bare(family: Family) -> Family:
    """Return *family* under the name that OpenTelemetry gives it: no ``_total``, and no unit at the end."""
    name = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return replace(
        family, name=(name.removesuffix(f"_{family.unit}") if family.unit else name) or family.name
    )


def requests(made: Iterable[Piece], resource: Mapping[str, str], version: str) -> Iterator[Piece]:
    """Yield whole requests; empty ones, of no points, come in between to give others their turn."""
    head = json.dumps({"attributes": _attributes(tuple(resource.items()))})
    scope = json.dumps({"name": _SCOPE, "version": version})
    begin = f'{{"resourceMetrics":[{{"resource":{head},"scopeMetrics":[{{"scope":{scope},"metrics":['
    held: list[str] = []
    size = points = 0
    for piece in made:
        if not piece.points:
            continue
        held.append(piece.text)
        size += len(piece.text)
        points += piece.points
        yield Piece("", 0)
        if size > MAX_REQUEST:
            yield Piece(begin + ",".join(held) + "]}]}]}", points)
            held.clear()
            size = points = 0
    if held:
        yield Piece(begin + ",".join(held) + "]}]}]}", points)


def _piece(family: Family, kind: str, points: list[Point], moment: Moment) -> Piece:
    metric: dict[str, Any] = {"name": family.name, "description": family.help}
    if family.unit in _UNITS:
        metric["unit"] = _UNITS[family.unit]
    write = {"histogram": _histogram, "summary": _summary}.get(kind, _number)
    data: dict[str, Any] = {"dataPoints": [_common(point, moment) | write(point) for point in points]}
    if kind == "counter":
        metric["sum"] = data | {"aggregationTemporality": _CUMULATIVE, "isMonotonic": True}
    elif kind == "histogram":
        metric["histogram"] = data | {"aggregationTemporality": _CUMULATIVE}
    else:
        metric["summary" if kind == "summary" else "gauge"] = data
    return Piece(json.dumps(metric, separators=(",", ":")), len(points))


def _common(point: Point, moment: Moment) -> dict[str, Any]:
    time = moment.now if point.timestamp is None else round(point.timestamp * 1e9)
    made: dict[str, Any] = {"attributes": _attributes(point.labels), "timeUnixNano": str(time)}
    if moment.start:
        made["startTimeUnixNano"] = str(moment.start)
    if point.exemplars:
        made["exemplars"] = [_exemplar(one, time) for one in point.exemplars]
    return made


def _exemplar(exemplar: Exemplar, time: int) -> dict[str, Any]:
    if exemplar.timestamp is not None:
        time = round(exemplar.timestamp * 1e9)
    told = _attributes(exemplar.labels)
    return {"filteredAttributes": told, "timeUnixNano": str(time), "asDouble": _double(exemplar.value)}


def _number(point: Point) -> dict[str, Any]:
    return {"asDouble": _double(point.value)}


def _histogram(point: Point) -> dict[str, Any]:
    passed = [0, *(count for _, count in point.buckets), point.count]
    return {
        "count": str(point.count),
        "sum": _double(point.value),
        "explicitBounds": [_double(bound) for bound, _ in point.buckets],
        "bucketCounts": [str(high - low) for low, high in pairwise(passed)],
    }


def _summary(point: Point) -> dict[str, Any]:
    quantiles = [{"quantile": _double(q), "value": _double(value)} for q, value in point.quantiles]
    return {"count": str(point.count), "sum": _double(point.value), "quantileValues": quantiles}


def _attributes(labels: Labels) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in labels]


def _double(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
