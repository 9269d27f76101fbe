"""OTLP's JSON of families: the same figures as the page has, in requests of bounded size."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podmates_metrics.otlp.payload import MAX_REQUEST, Moment, bare, pieces, requests
from podmates_metrics.sources.base import Exemplar, Family, Kind, Sample
from podmates_metrics.statsd.engine import Engine
from tests.unit.metrics.engines import TWINS, engine

MOMENT = Moment(1_000, 5_000_000_000)
MAPPING = (
    "mappings: [{match: size, name: size, observer_type: histogram, histogram_options: {buckets: [1, 2]}}]"
)


def metrics(subject: Engine | None = None, *others: Family) -> list[dict[str, Any]]:
    subject = subject or engine()
    stored = list(subject.store.families.values())
    made = pieces(stored, {family.name: family for family in others}, {}, MOMENT)
    return [json.loads(piece.text) for piece in made]


def point(metric: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = metric[kind]["dataPoints"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("which", TWINS)
def test_statsd_kinds_become_otlp_kinds(which: str) -> None:
    subject = engine(which, MAPPING)
    subject.feed(b"hits:3|c|#a:b\nload:-1.5|g\ntimer:5|ms\ntimer:7|ms\nsize:1|h\nsize:1.5|h\nsize:9|h", 0.0)
    found = {metric["name"]: metric for metric in metrics(subject)}

    common = {"attributes": [], "startTimeUnixNano": "1000", "timeUnixNano": "5000000000"}
    assert found["hits"]["sum"] == {
        "aggregationTemporality": 2,
        "isMonotonic": True,
        "dataPoints": [common | {"asDouble": 3, "attributes": [{"key": "a", "value": {"stringValue": "b"}}]}],
    }
    assert point(found["load"], "gauge") == common | {"asDouble": -1.5}
    assert point(found["timer"], "summary") == common | {
        "count": "2",
        "sum": 0.012,
        "quantileValues": [
            {"quantile": 0.5, "value": 0.005},
            {"quantile": 0.9, "value": 0.007},
            {"quantile": 0.99, "value": 0.007},
        ],
    }
    assert found["size"]["histogram"]["aggregationTemporality"] == 2
    assert point(found["size"], "histogram") == common | {
        "count": "3",
        "sum": 11.5,
        "explicitBounds": [1, 2],
        "bucketCounts": ["1", "1", "1"],
    }


def test_what_is_no_finite_number_is_a_word() -> None:
    subject = engine()
    subject.feed(b"a:NaN|g\nb:Inf|g\nc:-Inf|g", 0.0)

    values = [point(metric, "gauge")["asDouble"] for metric in metrics(subject)]

    assert values == ["NaN", "Infinity", "-Infinity"]


def test_a_sources_family_has_its_unit_its_time_and_its_exemplars() -> None:
    sample = Sample((), 2, "", Exemplar((("trace", "x"),), 0.5), 1.5)
    (metric,) = metrics(None, Family("busy_seconds_total", "counter", "Busy.", [sample], "seconds"))

    assert (metric["description"], metric["unit"]) == ("Busy.", "s")
    assert point(metric, "sum") == {
        "attributes": [],
        "asDouble": 2,
        "timeUnixNano": "1500000000",
        "exemplars": [
            {
                "filteredAttributes": [{"key": "trace", "value": {"stringValue": "x"}}],
                "timeUnixNano": "1500000000",
                "asDouble": 0.5,
            }
        ],
    }


NAMES = {
    ("counter", "done_total", ""): "done",
    ("counter", "busy_seconds_total", "seconds"): "busy",
    ("counter", "done", ""): "done",
    ("counter", "_total", ""): "_total",
    ("gauge", "done_total", ""): "done_total",
    ("gauge", "size_bytes", "bytes"): "size",
    ("gauge", "size_bytes", ""): "size_bytes",
}


@pytest.mark.parametrize(("family", "name"), NAMES.items())
def test_a_name_may_go_without_what_the_page_has_at_its_end(family: tuple[Kind, str, str], name: str) -> None:
    kind, long, unit = family
    told = bare(Family(long, kind, "Help.", [Sample((), 1)], unit))

    assert told == Family(name, kind, "Help.", [Sample((), 1)], unit)


def test_a_counter_below_0_and_a_histogram_in_pieces_are_gauges() -> None:
    counter = Family("debt", "counter", "", [Sample((), -1)])
    halves = Family("size", "histogram", "", [Sample((("le", "1"),), 2, "_bucket"), Sample((), 3, "_count")])

    found = {metric["name"]: point(metric, "gauge")["asDouble"] for metric in metrics(None, counter, halves)}

    assert found == {"debt": -1, "size_bucket": 2, "size_count": 3}


def test_what_a_source_adds_to_statsds_family_is_told_once() -> None:
    subject = engine()
    subject.feed(b"hits:3|c", 0.0)
    found = metrics(subject, Family("hits", "counter", "", [Sample((), 9), Sample((("a", "b"),), 5)]))

    assert [p["asDouble"] for metric in found for p in metric["sum"]["dataPoints"]] == [3, 5]


def test_requests_are_of_bounded_size_and_lose_nothing() -> None:
    subject = engine()
    subject.feed(b"\n".join(b"many:1|c|#n:%d" % number for number in range(20_000)), 0.0)
    made = pieces(list(subject.store.families.values()), {}, {}, MOMENT)
    found = [one for one in requests(made, {"service.name": "shop"}, "1.0") if one.points]

    assert len(found) > 2
    assert max(len(one.text) for one in found) < 1.2 * MAX_REQUEST
    seen = []
    for one in found:
        (resource,) = json.loads(one.text)["resourceMetrics"]
        assert resource["resource"]["attributes"] == [
            {"key": "service.name", "value": {"stringValue": "shop"}}
        ]
        (scope,) = resource["scopeMetrics"]
        assert scope["scope"] == {"name": "podmates-metrics", "version": "1.0"}
        data = [point for metric in scope["metrics"] for point in metric["sum"]["dataPoints"]]
        assert len(data) == one.points
        seen += [point["attributes"][0]["value"]["stringValue"] for point in data]
    assert sorted(seen, key=int) == [str(number) for number in range(20_000)]


def test_nothing_to_tell_makes_no_request() -> None:
    assert list(requests(pieces([], {}, {}, MOMENT), {}, "1.0")) == []
