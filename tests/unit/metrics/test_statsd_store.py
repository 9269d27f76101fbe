"""Which series may exist beside which, when they go, and that nothing can poison the page."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.mapping import decode
from tests.unit.metrics.engines import TWINS, engine, errors, page, samples, total

HISTOGRAM = "defaults: {observer_type: histogram}"
CONFLICTS: dict[str, tuple[str, bytes, dict[str, float]]] = {
    "another type": ("", b"x:1|c\nx:2|g\nx:3|ms", {"gauge/x": 1, "observer/x": 1}),
    "part of a summary": (
        "",
        b"t:1|ms\nt_sum:1|c\nt_count:1|g\nt_bucket:1|c\nt_total:1|c",
        {"counter/t_sum": 1, "gauge/t_count": 1, "counter/t_bucket": 1},
    ),
    "summary after its part": ("", b"t_sum:1|g\nt:1|ms", {"observer/t": 1}),
    "summary after a summary of its part's name": ("", b"t_sum:1|ms\nt:1|ms", {"observer/t": 1}),
    "histogram after its part": (HISTOGRAM, b"u_bucket:1|g\nu:1|ms", {"observer/u": 1}),
    "nothing clashes with a counter's name": ("", b"q:5|c\nq_count:1|c\nq_sum:1|g", {}),
    "nor with a gauge's": ("", b"queue:5|g\nqueue_count:1|c", {}),
    "label sets may differ": ("", b"a:1|c\na:1|c|#x:1\na:1|c|#y:1", {}),
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("mapping", "lines", "found"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_a_name_is_one_thing_only(which: str, mapping: str, lines: bytes, found: dict[str, float]) -> None:
    subject = engine(which, mapping)

    subject.feed(lines, 0.0)

    assert errors(subject) == found
    samples(subject)  # the parser of prometheus-client takes the page


HAZARDS: dict[str, tuple[str, bytes, str]] = {
    "brackets turned round": ("", b"a]b[c:1|c", "tag"),
    "quantile tag on a summary": ("", b"foo:1|ms|#quantile:x", "reserved_label"),
    "le tag on a histogram": (HISTOGRAM, b"foo:1|ms|#le:x", "reserved_label"),
    "__name__ tag": ("", b"foo:1|c|#__name__:x", "reserved_label"),
    "reserved after escaping": ("", b"foo:1|c|#..x:1", "reserved_label"),
    "tags only, SignalFX": ("", b"[a=b]:1|c", "empty_metric_name"),
    "tags only, Influx": ("", b",a=b:1|c", "empty_metric_name"),
    "a self metric's name": ("", b"statsd_exporter_lines_total:5|c|#a:b", "reserved_name"),
    "a process metric's name": ("", b"process_open_fds:5|g", "reserved_name"),
    "quantile label of a rule": (
        "mappings: [{match: foo, name: foo, labels: {quantile: x}}]",
        b"foo:1|ms",
        "reserved_label",
    ),
    "name that comes out empty": ("mappings: [{match: '*', name: '$2'}]", b"foo:1|c", "empty_metric_name"),
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("mapping", "line", "reason"), HAZARDS.values(), ids=HAZARDS.keys())
def test_what_kills_the_original_costs_one_count(which: str, mapping: str, line: bytes, reason: str) -> None:
    subject = engine(which, mapping)

    subject.feed(line + b"\nzz.after:1|c", 0.0)

    assert errors(subject) == {reason: 1}
    assert samples(subject)["zz_after"] == 1


def test_two_helps_for_one_name_give_the_first() -> None:
    subject = engine("pure", "mappings: [{match: a.*, name: m, help: one}, {match: b.*, name: m, help: two}]")

    subject.feed(b"a.x:1|c\nb.x:1|c|#foo:bar", 0.0)

    assert page(subject).count("# HELP m one\n") == 1
    assert samples(subject) == {"m": 1, 'm{foo="bar"}': 1}


@pytest.mark.parametrize("which", TWINS)
def test_a_series_goes_when_its_time_is_over_and_starts_anew(which: str) -> None:
    subject = engine(which, "defaults: {ttl: 10s}")

    subject.feed(b"a:1|c\nb:1|c", 0.0)
    subject.feed(b"a:1|c\na:1|c", 8.0)
    subject.sweep(11.0)
    assert samples(subject) == {"a": 3}

    subject.sweep(18.5)
    assert samples(subject) == {}
    assert total(subject, "podmates_statsd_series") == 0

    subject.feed(b"a:1|c\na:1|c\na:1|g", 20.0)
    assert samples(subject) == {"a": 2}
    assert errors(subject) == {"gauge/a": 1}, "the type of a name outlives its series"


def test_a_series_without_a_time_to_live_stays() -> None:
    subject = engine()

    subject.feed(b"a:1|c", 0.0)
    subject.sweep(1e9)

    assert samples(subject) == {"a": 1}


@pytest.mark.parametrize("which", TWINS)
def test_new_series_beyond_the_limit_are_counted_and_old_ones_live_on(which: str) -> None:
    subject = engine(which, limit=100)

    for number in range(200):
        subject.feed(b"a:1|c|#n:%d" % number, 0.0)
    subject.feed(b"a:1|c|#n:5", 0.0)

    assert total(subject, "podmates_statsd_series") == 100
    assert errors(subject) == {"series_limit": 100}
    assert samples(subject)['a{n="5"}'] == 2


def test_names_in_conflict_are_told_apart_up_to_a_bound() -> None:
    subject = engine()

    for number in range(1500):
        subject.feed(b"a%d:1|c\na%d:1|g" % (number, number), 0.0)

    conflicts = subject.totals()["statsd_exporter_events_conflict_total"]
    assert len(conflicts) == 1001
    assert conflicts["gauge", "__overflow__"] == 500


@pytest.mark.parametrize("which", TWINS)
def test_another_mapping_takes_known_lines_elsewhere(which: str) -> None:
    from podmates_metrics.documents import parse
    from podmates_metrics.statsd.mapper import Mapper
    from podmates_metrics.statsd.mapping import decode

    subject = engine(which, "mappings: [{match: a.*, name: one}]")
    subject.feed(b"a.x:1|c\na.x:1|c", 0.0)

    subject.use(Mapper(decode(parse("mappings: [{match: a.*, name: two}]"))))
    subject.feed(b"a.x:5|c\na.x:5|c", 0.0)

    assert samples(subject) == {"one": 2, "two": 10}


def test_long_texts_use_up_the_room_of_many_series() -> None:
    subject = engine(limit=100)

    for number in range(100):
        subject.feed(b"a:1|c|#n:%d,long:%s" % (number, b"x" * 10_000), 0.0)

    assert total(subject, "podmates_statsd_series") == 9
    assert errors(subject) == {"series_limit": 91}
    assert total(subject, "podmates_statsd_remembered_lines") == 0, "long lines take the slow path"


def test_names_that_come_and_go_make_room_again() -> None:
    subject = engine("pure", "defaults: {ttl: 1s}", limit=100)

    for number in range(500):
        subject.feed(b"a%d:1|c" % number, number * 1.0)
        subject.sweep(number * 1.0)

    assert errors(subject) == {}
    assert len(subject.store.families) <= 100


def test_series_share_one_copy_of_the_labels_that_they_have_in_common() -> None:
    subject = engine()

    for number in range(3000):
        subject.feed(b"a:1|c|#code:200,route:r%d" % number, 0.0)

    labels = [series.labels for series in subject.store.families["a"].series.values()]
    assert len({id(pair) for code, _ in labels for pair in [code]}) <= 4
    assert len({id(name) for _, (name, _) in labels}) == 1


@pytest.mark.parametrize("which", TWINS)
def test_series_of_one_name_and_the_same_labels_have_the_same_buckets(which: str) -> None:
    rule = (
        "{match: %s, name: h, observer_type: histogram, labels: {%s: $1}, histogram_options: {buckets: [%s]}}"
    )
    rules = [rule % ("a.*", "to", "1, 2"), rule % ("b.*", "to", "5"), rule % ("c.*", "via", "7")]
    subject = engine(which, "mappings:\n- " + "\n- ".join(rules))

    subject.feed(b"a.x:1|h\nb.y:1|h\nc.z:1|h", 0.0)

    bounds = {name for name in samples(subject) if "le=" in name and "+Inf" not in name}
    first = {f'h_bucket{{to="{to}",le="{le}"}}' for to in "xy" for le in "12"}
    assert bounds == {*first, 'h_bucket{via="z",le="7"}'}

    subject.use(Mapper(decode(parse("mappings:\n- " + rule % ("a.*", "to", "9")))))
    subject.feed(b"a.new:1|h", 0.0)

    assert {f'h_bucket{{to="new",le="{le}"}}' for le in "12"} < samples(subject).keys()


QUANTILES = """
mappings:
- {match: a.*, name: t, labels: {one: $1}, observer_type: summary,
   summary_options: {quantiles: [{quantile: 0.5, error: 0.1}]}}
- {match: b.*, name: t, labels: {other: $1}, observer_type: summary,
   summary_options: {quantiles: [{quantile: 0.9, error: 0.1}, {quantile: 0.99, error: 0.1}]}}
- {match: c.*, name: t, labels: {one: $1}, observer_type: summary,
   summary_options: {quantiles: [{quantile: 0.1, error: 0.1}]}}
"""


@pytest.mark.parametrize("which", TWINS)
def test_summaries_of_one_name_have_the_quantiles_of_the_first_with_their_label_names(which: str) -> None:
    subject = engine(which, QUANTILES)
    subject.feed(b"a.x:1|ms\nb.x:2|ms\nc.y:3|ms\n", 0.0)

    assert {name: value for name, value in samples(subject).items() if "quantile" in name} == {
        't{one="x",quantile="0.5"}': 0.001,
        't{one="y",quantile="0.5"}': 0.003,
        't{other="x",quantile="0.9"}': 0.002,
        't{other="x",quantile="0.99"}': 0.002,
    }
