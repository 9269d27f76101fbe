"""Histograms of a log as native ones: the same buckets as StatsD's, in the protobuf format."""

from __future__ import annotations

from podmates_metrics.exposition.points import given_points
from podmates_metrics.exposition.protobuf import given
from podmates_metrics.records import Record
from podmates_metrics.rules.limits import OVERFLOW
from podmates_metrics.sources.base import Family
from podmates_metrics.sources.clashes import joined
from podmates_metrics.statsd.mapping import DEFAULT_NATIVE
from podmates_metrics.statsd.sparse import Sparse
from tests.unit.metrics.messages import delimited, fields, labels, signed
from tests.unit.metrics.native_rules import events

RULE = "rules: [{name: took_ms, type: histogram, value: '{ms}', labels: {route: '{route}'}%s}]\n"
TOLD = [{"ms": ms, "route": route} for ms, route in (("50", "/a"), ("250", "/a"), ("0", "/b"), ("50", "/a"))]


def took(more: str = "") -> Family:
    [family] = events(RULE % more, *TOLD).families(0.0)
    return family


def test_every_series_has_the_buckets_that_its_values_fall_into() -> None:
    wanted = Sparse(*DEFAULT_NATIVE)
    for value in (0.05, 0.25, 0.05):
        wanted.add(value, 1)

    points = {point.labels: point for point in given_points(took()) or ()}
    assert points[("route", "/a"),].native == wanted
    assert [point.native.count for point in points.values() if point.native] == [3, 1]


def test_they_stand_in_the_protobuf_message_beside_the_classic_ones() -> None:
    [family] = delimited(given(took()))
    found = {labels(metric)["route"]: fields(metric[7][0]) for metric in map(fields, family[4])}

    assert {route: signed(one[5][0]) for route, one in found.items()} == dict.fromkeys(("/a", "/b"), 3)
    assert (found["/b"][7], 12 in found["/a"], len(found["/a"][3])) == ([1], True, 12)


def test_what_a_scrape_shows_does_not_change_with_later_events() -> None:
    kept = events(RULE % "", *TOLD)
    [before] = kept.families(0.0)
    shown = given(before)
    kept.record(Record({"text": "", **TOLD[0]}), 1.0, 1.0)

    assert given(before) == shown


def test_overflow_of_two_sources_is_a_classic_histogram() -> None:
    one, other = took(", limit: 1"), took(", limit: 1")
    both, _ = joined(one, other)

    beyond = (("route", OVERFLOW),)
    assert (beyond in one.native, beyond in both.native) == (True, False)
    assert (("route", "/a"),) in both.native
