"""Mapping files: what they mean, and that each fault is named with its place."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.statsd.mapper import Decision, Mapper
from podmates_metrics.statsd.mapping import Mapping, Summary, decode
from podmates_metrics.tree import Fault
from tests.unit.metrics.engines import TWINS, engine, page, samples


def mapping(text: str) -> Mapping:
    return decode(parse(text))


def decide(text: str, name: str, kind: str = "counter") -> Decision:
    return Mapper(mapping(text)).decide(kind, name)


FAULTS = {
    "bogus: 1": "line 1: bogus: field bogus not found in type mapper.MetricMapper",
    "mappings:\n- {match: a, nam: b}": "line 2: mappings[0]: line 0: metric mapping didn't set a metric name",
    "mappings:\n- match: a\n  name: b\n  timer_type: x": "line 4: mappings[0].timer_type: field timer_type",
    "mappings:\n- match: a\n  match: b\n  name: c": "line 3: field match already set",
    "mappings: [{match: a.*b, name: c}]": "mappings[0].match: invalid match: a.*b",
    "mappings: [{match: 'a..b', name: c}]": "invalid match: a..b",
    "mappings: [{match: 1a, name: c}]": "invalid match: 1a",
    "mappings: [{match: a, name: 1c}]": "metric name '1c' doesn't match regex",
    "mappings: [{match: a, name: 'c-d'}]": "metric name 'c-d' doesn't match regex",
    "mappings: [{match: a, name: c, labels: {x: y}}]": "invalid label key: x",
    "mappings: [{match: a, name: c, labels: {__xx: y}}]": "mappings[0].labels.__xx: invalid label key: __xx",
    "mappings: [{match: '(', match_type: regex, name: c}]": "invalid regex ( in mapping",
    "mappings: [{match: 'a(?=b)', match_type: regex, name: c}]": "invalid perl operator: (?=",
    "mappings: [{match: a, match_type: x, name: c}]": 'invalid match type "x"',
    "mappings: [{match: a, name: c, action: x}]": 'invalid action type "x"',
    "mappings: [{match: a, name: c, match_metric_type: timer}]": "invalid metric type 'timer'",
    "mappings: [{match: a, name: c, match_metric_type: ''}]": "invalid metric type ''",
    "defaults: {observer_type: x}": "defaults.observer_type: invalid observer type 'x'",
    "defaults: {ttl: 1d}": "into time.Duration",
    "mappings: [{match: a, name: c, scale: '2'}]": "cannot unmarshal !!str `2` into float64",
    "mappings: [{match: a, name: c, honor_labels: 1}]": "cannot unmarshal !!int `1` into bool",
    "mappings: [{match: a, name: c, observer_type: histogram, summary_options: {max_age: 1s}}]": (
        "cannot use histogram observer and summary options at the same time"
    ),
    "mappings: [{match: a, name: c, observer_type: summary, histogram_options: {buckets: [1]}}]": (
        "cannot use summary observer and histogram options at the same time"
    ),
    "defaults: {histogram_options: {buckets: [3, 1, 2]}}": "histogram_options.buckets: buckets must increase",
    "defaults: {summary_options: {quantiles: [{quantile: 2, error: 0.1}]}}": "must lie between 0 and 1",
    "mappings: {a: b}": "mappings: want a list",
    "- a": "want a table of keys and values",
    "a: [": "line 2: ",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=FAULTS.keys())
def test_a_fault_is_named_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        mapping(text)

    assert reason in str(caught.value)
    assert "line " in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "mappings:\n", "defaults: {}\n"])
def test_an_empty_file_is_a_valid_one(text: str) -> None:
    assert mapping(text) == Mapping()


def test_values_of_labels_are_taken_as_written() -> None:
    rule = mapping(
        "mappings: [{match: a, name: b, labels: {v1: 1.50, v2: true, v3: 0x1, v4: 2001-01-01}}]"
    ).rules[0]

    assert dict(rule.labels) == {"v1": "1.50", "v2": "true", "v3": "0x1", "v4": "2001-01-01"}


@pytest.mark.parametrize(("name", "wanted"), [("a_$1", "a_x_y"), ("a_${1}_${2}", "a_x_y_s"), ("a_$3", "a_")])
def test_a_glob_names_by_its_stars(name: str, wanted: str) -> None:
    decision = decide(
        f"mappings: [{{match: 'a.*.*', name: '{name}', labels: {{l1: '$2', l2: '$1 $2%', l3: '$1$2'}}}}]",
        "a.x-y.s",
    )

    assert decision.name == wanted
    assert dict(decision.labels) == {"l1": "s", "l2": "x-y s%", "l3": ""}


def test_a_regex_expands_as_go_does() -> None:
    text = r"""
mappings:
- match: '^api\.(?P<route>\w+)\.(\d+)?$'
  match_type: regex
  name: "api_${1}_$2"
  labels: {route: "${route}", whole: "$0", dollar: "$$", none: "$9", word: "$1_x"}
"""
    decision = decide(text, "api.cart.")

    assert decision.name == "api_cart_"
    assert dict(decision.labels) == {
        "route": "cart",
        "whole": "api.cart.",
        "dollar": "$",
        "none": "",
        "word": "",
    }


def test_every_glob_is_tried_before_any_regex_and_kinds_are_kept_apart() -> None:
    text = """
mappings:
- {match: '.*', match_type: regex, name: regex_took}
- {match: a.*, name: glob_counter, match_metric_type: counter}
- {match: b.*, name: glob_timer, match_metric_type: observer}
"""
    assert decide(text, "a.x").name == "glob_counter"
    assert decide(text, "a.x", "gauge").name == "regex_took"
    assert decide(text, "b.x").name == "regex_took"
    assert decide(text, "b.x", "observer").name == "glob_timer"


@pytest.mark.parametrize("size", [0, 1, 1000])
@pytest.mark.parametrize("recent", [True, False])
def test_the_cache_changes_nothing_but_its_own_counts(size: int, recent: bool) -> None:
    mapper = Mapper(mapping("mappings: [{match: 'a.*', name: 'm_$1'}]"), size, recent=recent)

    names = [mapper.decide("counter", f"a.{n}").name for n in (1, 2, 1, 1, 3)]

    assert names == ["m_1", "m_2", "m_1", "m_1", "m_3"]
    assert len(mapper) <= size
    assert mapper.gets == 5


def test_an_unset_observer_type_inherits_no_window() -> None:
    text = "defaults: {summary_options: {max_age: 1m, age_buckets: 2}}\nmappings:\n- {match: a, name: a}\n"

    assert mapping(text).rules[0].shape.summary == Summary()
    typed = mapping(text.replace("name: a", "name: a, observer_type: summary"))
    assert typed.rules[0].shape.summary == Summary(max_age=60, age_buckets=2)


@pytest.mark.parametrize("which", TWINS)
def test_a_mapping_labels_scales_and_drops(which: str) -> None:
    subject = engine(
        which,
        """
mappings:
- match: t.*
  name: took
  labels: {route: "$1"}
  observer_type: histogram
  histogram_options: {buckets: [1, 2, .inf]}
- {match: s.*, name: scaled, scale: 2}
- {match: h.*, name: honest, honor_labels: true, labels: {route: ours}}
- {match: r.*, name: replaced, labels: {route: ours}}
- {match: d.*, name: dropped, action: drop}
""",
    )

    for _ in range(2):
        subject.feed(b"t.a:1000|ms\ns.a:3|c\nh.a:1|c|#route:theirs\nr.a:1|c|#route:theirs\nd.a:1|c", 0.0)

    assert samples(subject) == {
        'took_bucket{route="a",le="1"}': 2,
        'took_bucket{route="a",le="2"}': 2,
        'took_bucket{route="a",le="+Inf"}': 2,
        'took_sum{route="a"}': 2,
        'took_count{route="a"}': 2,
        "scaled": 12,
        'honest{route="theirs"}': 2,
        'replaced{route="ours"}': 2,
    }


def test_bucket_labels_and_help_are_written_as_the_original_does() -> None:
    subject = engine(
        "pure", "defaults: {observer_type: histogram, histogram_options: {buckets: [0.0001, 1e6, 1.5e7]}}"
    )
    subject.feed(b"t:1|h", 0.0)

    assert page(subject).splitlines() == [
        "# HELP t Metric autogenerated by statsd_exporter.",
        "# TYPE t histogram",
        't_bucket{le="0.0001"} 0',
        't_bucket{le="1e+06"} 1',
        't_bucket{le="1.5e+07"} 1',
        't_bucket{le="+Inf"} 1',
        "t_sum 1",
        "t_count 1",
    ]
