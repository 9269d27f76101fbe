"""What a line means, through the whole engine on both hot paths; lines come twice, to take both ways."""

from __future__ import annotations

import pytest

from tests.unit.metrics.engines import TWINS, engine, errors, samples, total

# name: (lines, series, error counts); the values are after ONE pass
GOOD: dict[str, tuple[bytes, dict[str, float]]] = {
    "counter": (b"a:2|c", {"a": 2}),
    "counter, sampled": (b"a:10|c|@0.1", {"a": 100}),
    "counter, sampled twice": (b"a:10|c|@0.5|@0.5", {"a": 40}),
    "counter of zero": (b"a:0|c", {"a": 0}),
    "several samples": (b"a:1|c:2|c:3|c", {"a": 6}),
    "sample with a rate, then one without": (b"c:1|c|@0.1:6|c", {"c": 16}),
    "DogStatsD tags": (b"a:1|c|#x:y,z:w", {'a{x="y",z="w"}': 1}),
    "DogStatsD tags in two sections": (b"n:1|c|#a:b|#c:d", {'n{a="b",c="d"}': 1}),
    "a tag may carry its own #": (b"n:1|c|##a:b", {'n{a="b"}': 1}),
    "Influx tags": (b"q,a=b:1|c", {'q{a="b"}': 1}),
    "Librato tags": (b"p#a=b#c=d:1|c", {'p{a="b#c=d"}': 1}),
    "SignalFX tags": (b"t[a=b]x:1|c", {'tx{a="b"}': 1}),
    "SignalFX in the middle": (b"a.b[x=1].c:1|c", {'a_b_c{x="1"}': 1}),
    "last of equal tags wins": (b"a:1|c|#x.y:1,x_y:2", {'a{x_y="2"}': 1}),
    "container id": (b"b:1|c|#x:y|c:sha256:ab", {'b{container_id="sha256:ab",x="y"}': 1}),
    "container id without tags": (b"b:1|c|c:ab:cd", {'b{container_id="ab:cd"}': 1}),
    "time stamp": (b"i:1|c|T123", {"i": 1}),
    "newer DogStatsD fields": (b"j:1|c|#x:y|e:it-x|card:low", {'j{x="y"}': 1}),
    "values of tags stay as they are": ('a:1|c|#u:"é\\ =:'.encode(), {'a{u="\\"é\\\\ =:"}': 1}),
    "names are escaped": (b"0a.b--c/d:1|c", {"_0a_b_c_d": 1}),
    "blank as a name": (b" :1|c", {"_": 1}),
    "pipe in the name": (b"a|b:1|c", {"a_b": 1}),
    "le is a name like another, off histograms": (b"foo:1|c|#le:x", {'foo{le="x"}': 1}),
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("line", "series"), GOOD.values(), ids=GOOD.keys())
def test_a_good_line_counts_the_same_each_time(which: str, line: bytes, series: dict[str, float]) -> None:
    subject = engine(which)

    for passes in (1, 2, 3):
        subject.feed(line, 0.0)

        assert samples(subject) == {name: value * passes for name, value in series.items()}
    assert errors(subject) == {}
    assert total(subject, "statsd_exporter_lines_total") == 3


BAD: dict[str, tuple[bytes, dict[str, float]]] = {
    "no colon": (b"foo|c", {"malformed_line": 1}),
    "no name": (b":1|c", {"malformed_line": 1}),
    "not UTF-8": (b"a\xff:1|c", {"malformed_line": 1}),
    "not UTF-8 in a tag": (b"a:1|c|#x:\xff", {"malformed_line": 1}),
    "no type": (b"foo:1", {"not_enough_parts_after_colon": 1}),
    "empty type": (b"foo:1|", {"illegal_event": 1}),
    "set": (b"foo:1|s", {"illegal_event": 1}),
    "type in capitals": (b"foo:1|C", {"illegal_event": 1}),
    "CR belongs to the type": (b"foo:1|c\r", {"illegal_event": 1}),
    "empty field": (b"foo:1|c||@0.1", {"malformed_component": 1}),
    "too many fields": (b"a:1|c|@1|@1|@1|@1|@1", {"malformed_component": 1}),
    "unknown field": (b"foo:1|c|x", {"invalid_sample_factor": 1}),
    "newer field without tags": (
        b"foo:1|c|card:low",
        {"malformed_container_id": 1, "malformed_component": 1},
    ),
    "empty container id": (b"d:1|c|#x:y|c:", {"malformed_container_id": 1}),
    "packed counters": (b"e:1:2:3|c", {"invalid_extended_aggregate_type": 1}),
    "two tag styles": (b"o,a=b:1|c|#c:d", {"mixed_tagging_styles": 1}),
    "negative counter": (b"a:-1|c", {"illegal_negative_counter": 1}),
    "negative rate": (b"a:10|c|@-0.5", {"illegal_negative_counter": 1}),
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("line", "reasons"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_costs_a_count_and_nothing_else(
    which: str, line: bytes, reasons: dict[str, float]
) -> None:
    subject = engine(which)

    subject.feed(line + b"\nok:1|c", 0.0)

    assert errors(subject) == reasons
    assert samples(subject) == {"ok": 1}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(
    "text",
    [
        "1e400",
        " 1",
        "1 ",
        "+nan",
        "-nan",
        "",
        "+",
        "0x10",
        "1,5",
        "1__0",
        "_1",
        "1_",
        "--1",
        "1e",
        "١",
        "1\x00",
    ],
)
def test_a_bad_value_is_refused_also_where_the_line_is_known(which: str, text: str) -> None:
    subject = engine(which)

    subject.feed(f"a:1|g\na:{text}|g\na:{text}|g".encode(), 0.0)

    assert errors(subject) == {"malformed_value": 2}
    assert samples(subject) == {"a": 1}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1p4", 16),
        ("1_000", 1000),
        (".5", 0.5),
        ("5.", 5),
        ("1E3", 1000),
        ("00012", 12),
        ("1e-400", 0),
        ("0.12345678901234567", 0.12345678901234566),
        ("9007199254740993", 9007199254740992),
        ("123456789012345.6", 123456789012345.6),
        ("Inf", float("inf")),
        ("infinity", float("inf")),
    ],
)
def test_a_good_value_is_read_exactly_on_both_ways(which: str, text: str, value: float) -> None:
    subject = engine(which)

    subject.feed(f"a:1|g\na:{text}|g\nb:{text}|g".encode(), 0.0)

    assert samples(subject) == {"a": value, "b": value}


@pytest.mark.parametrize("which", TWINS)
def test_a_sign_makes_a_gauge_move(which: str) -> None:
    subject = engine(which)

    subject.feed(b"g:10|g\ng:-3|g\ng:+1|g\nh:-5|g\ng:+Inf|g\nk:2|g\nk:3|g|@0.5", 0.0)

    assert samples(subject) == {"g": float("inf"), "h": -5, "k": 3}


@pytest.mark.parametrize("which", TWINS)
def test_a_sampled_timer_weighs_what_it_stands_for(which: str) -> None:
    subject = engine(which)

    for _ in range(2):
        subject.feed(b"t:10|ms|@0.3\nu:1:2|h|@0.5|#a:b\nv:5|h|@1.5\nw:5|ms|@1e-9", 0.0)

    found = samples(subject)
    assert found["t_count"] == 6
    assert found["t_sum"] == pytest.approx(0.06)
    assert found['u_count{a="b"}'] == 8
    assert "v_count" not in found
    assert found["w_count"] == 2 * 999_999_999, "the whole part of 1/rate, in floating point"
    assert total(subject, "statsd_exporter_events_total", "observer") == 6 + 8 + 2 * 999_999_999


@pytest.mark.parametrize("which", TWINS)
def test_every_line_sample_tag_and_event_is_counted(which: str) -> None:
    subject = engine(which, "mappings: [{match: m.*, name: m}, {match: d.*, name: d, action: drop}]")

    for _ in range(3):
        subject.feed(b"m.a:1|c\nd.a:1|c\na:1|g|#x:y\n\na:2|c:3|c", 0.0)

    own = "statsd_exporter_"
    assert total(subject, own + "lines_total") == 15
    assert total(subject, own + "samples_total") == 15
    assert total(subject, own + "tags_total") == 3
    assert total(subject, own + "events_actions_total", "map") == 3
    assert total(subject, own + "events_actions_total", "drop") == 3
    assert total(subject, own + "events_unmapped_total") == 9
    assert total(subject, own + "events_total", "gauge") == 3
    assert total(subject, own + "events_conflict_total", "counter", "a") == 6
    assert total(subject, "statsd_metric_mapper_cache_gets_total") == 15, "one per event"
    assert total(subject, "statsd_metric_mapper_cache_hits_total") == 11


def test_tags_of_a_style_that_is_off_stay_in_the_name() -> None:
    from podmates_metrics.statsd.line import Styles, parse

    assert parse(b"a,x=y:1|c", Styles(influxdb=False)).events[0].name == "a,x=y"
    assert parse(b"a[x=y]:1|c", Styles(signalfx=False)).events[0].name == "a[x=y]"
    assert parse(b"a#x=y:1|c", Styles(librato=False)).events[0].name == "a#x=y"
    assert parse(b"a:1|c|#x:y", Styles(dogstatsd=False)).events[0].labels == {}
