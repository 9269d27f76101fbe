"""StatsD lines that stand for others, and that lines which are looked at do the same on every way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from podmates_metrics.exposition.points import stored_point
from podmates_metrics.sources.base import Exemplar
from tests.unit.metrics.engines import TWINS, samples, total
from tests.unit.metrics.looked import engine, fed, openmetrics

SKIPPED = {"podmates_statsd_remembered_lines", "podmates_statsd_series"} | {
    f"statsd_metric_mapper_cache_{name}" for name in ("gets_total", "hits_total", "length")
}


TRACED = "{match: {metric: 'get.{route}'}, name: gets_total, type: counter, exemplar: {trace_id: '{trace}'}}"


@pytest.mark.parametrize("which", TWINS)
def test_a_counters_exemplar_is_the_last_line_that_has_one_and_its_tag_is_no_label(which: str) -> None:
    subject = engine(TRACED, which)
    subject.sweep(0.0, 1000.0)
    for now, line in enumerate(["get.a:1|c|#trace:t1", "get.a:5|c|#trace:t2", "get.a:3|c", "get.a:3|c"]):
        subject.feed(line.encode(), float(now))

    assert samples(subject) == {"gets_total": 12}
    shown = openmetrics(subject)
    assert 'gets_total 12 # {trace_id="t2"} 5 1001.000\n' in shown
    [family] = text_string_to_metric_families(shown)  # type: ignore[no-untyped-call]
    assert (family.type, family.samples[0].exemplar.labels) == ("counter", {"trace_id": "t2"})


@pytest.mark.parametrize("which", TWINS)
def test_a_bucket_has_the_exemplar_of_the_last_observation_in_it(which: str) -> None:
    rule = "{name: t_seconds, type: histogram, buckets: [0.1, 1], exemplar: {id: '{id}'}, labels: {z: '{z}'}}"
    subject = engine(rule, which)
    fed(subject, "a:50|ms|#z:1,id:x", "a:70|ms|#z:1,id:y", "a:7000|ms|#z:1,id:far", "a:500|ms|#z:1")

    family = subject.store.families["t_seconds"]
    [series] = family.series.values()
    near, far = Exemplar((("id", "y"),), 0.07), Exemplar((("id", "far"),), 7.0)
    assert stored_point(family, series).exemplars == [near, far]
    buckets = [line for line in openmetrics(subject).splitlines() if "_bucket" in line]
    assert buckets == [
        't_seconds_bucket{z="1",le="0.1"} 2 # {id="y"} 0.07',
        't_seconds_bucket{z="1",le="1"} 3',
        't_seconds_bucket{z="1",le="+Inf"} 4 # {id="far"} 7',
    ]


@pytest.mark.parametrize("which", TWINS)
def test_lines_without_an_exemplar_stay_on_the_fast_path_and_others_do_not_fill_it(which: str) -> None:
    subject = engine(TRACED, which)
    fed(subject, *[f"get.a:1|c|#trace:{number}" for number in range(50)], "get.a:1|c", "get.b:1|c|#x:y")

    assert total(subject, "podmates_statsd_remembered_lines") == 2
    assert len(subject.mapper) == 2  # nor do they fill the cache of decisions


def test_an_exemplar_goes_with_its_series() -> None:
    subject = engine("{name: n_total, type: counter, ttl: 10s, exemplar: {id: '{id}'}}")
    fed(subject, "a:1|c|#id:x")
    subject.sweep(11.0)

    assert subject.store.families["n_total"].exemplars == {}


def test_an_exemplar_that_is_too_long_is_none() -> None:
    subject = engine(TRACED)
    fed(subject, f"get.a:1|c|#trace:{'x' * 200}")

    assert "#" not in openmetrics(subject).partition("gets_total ")[2].partition("\n")[0]


RULES = """{match: {metric: 'm.{x}'}, name: m_total, type: counter, value: '{size}', action: continue}
- {match: {metric: 'm.*', value: '1*'}, name: ones, type: counter, exemplar: {t: '{t}'}}
- {match: {metric: 'm.**'}, name: rest, exemplar: {t: '{t}'}, type: histogram, buckets: [0.002, 2]}
- {match: {metric: h, type: '{type}'}, name: '{type}_seen', type: untyped, value: '{value}'}
- {match: {metric: s}, name: s, type: stateset, states: ['1', '2']}
- {match: {metric: s}, name: s}
- {match: {metric: i}, name: i, type: info}"""
LINES = st.builds(
    "{}:{}|{}{}".format,
    st.sampled_from(["m.a", "m.b", "h", "s", "i", "free"]),
    st.sampled_from(["1", "2", "-1", "+1", "1.5", "x", "1:2", "1e400", "nan"]),
    st.sampled_from(["c", "g", "ms", "h", "s", "c|@0.1", "ms|@0.5", "c|@2"]),
    st.sampled_from(["", "|#size:3", "|#size:3,t:a", "|#t:b", "|#t:c", "|#size:-1", "|#size"]),
)


@pytest.mark.parametrize("which", TWINS)
@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=40))
def test_a_known_line_does_what_an_unknown_one_does(which: str, lines: list[str]) -> None:
    quick, slow = engine(RULES, which), engine(RULES)

    quick.feed("\n".join(lines).encode(), 0.0)
    for line in lines or [""]:
        slow.use(slow.mapper)  # forgets every line: the next one is unknown
        slow.mapper.size = 0
        slow.feed(line.encode(), 0.0)

    assert openmetrics(quick) == openmetrics(slow)
    counts = [{k: v for k, v in one.totals().items() if k not in SKIPPED} for one in (quick, slow)]
    assert counts[0] == counts[1]
