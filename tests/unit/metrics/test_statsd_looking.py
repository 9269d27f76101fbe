"""Rules that look at the value of each StatsD line."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.ruled import Ruled
from podmates_metrics.statsd.store import Store
from tests.unit.metrics.engines import TWINS, page, total, twin
from tests.unit.metrics.looked import engine, fed, openmetrics
from tests.unit.metrics.native_rules import EVENTS, ruleset

CASES: dict[str, tuple[str, list[str], dict[str, float]]] = {
    "value: a tag in place of the line's own": (
        "{match: {metric: get}, name: sent_bytes_total, type: counter, value: '{size}'}",
        ["get:1|c|#size:100,host:a", "get:1|c|#size:20,host:a"],
        {'sent_bytes_total{host="a"}': 120},
    ),
    "value: a sampled counter counts for the lines that it stands for": (
        "{match: {metric: get}, name: n, type: counter, value: '{size}'}",
        ["get:1|c|@0.1|#size:100", "get:1|c|@0.5|@0.5|#size:1"],
        {"n": 1004},
    ),
    "value: any type counts as a counter": (
        "{name: n, type: counter, value: '1', labels: {type: '{type}'}}",
        ["a:250|ms|@0.5", "a:5|h", "a:-1|g", "a:ann|s"],
        {'n{type="timer"}': 2, 'n{type="histogram"}': 1, 'n{type="gauge"}': 1, 'n{type="set"}': 1},
    ),
    "value: a timer's as sent, with its unit": (
        "{name: last, type: gauge, value: '{value}', unit: ms}",
        ["a:250|ms", "a:500|ms"],
        {"last_seconds": 0.5},
    ),
    "value: a counter into a histogram": (
        "{name: size, type: histogram, value: '{value}', buckets: [10]}",
        ["a:5|c|@0.5", "a:50|c"],
        {'size_bucket{le="10"}': 2, 'size_bucket{le="+Inf"}': 3, "size_sum": 60, "size_count": 3},
    ),
    "value: of the type that the line says": (
        "{name: n, value: '{size}'}",
        ["a:1|c|#size:2", "a:1|c|#size:3"],
        {"n": 5},
    ),
    "value: a sign moves no gauge": (
        "{name: g, type: gauge, value: '{value}'}",
        ["a:10|g", "a:-3|g"],
        {"g": -3},
    ),
    "value: a capture is one, and the tag of its name a label": (
        "{match: {metric: 'size.{n}'}, name: g, type: gauge, value: '{n}'}",
        ["size.7:1|g|#n:8"],
        {'g{n="8"}': 7},
    ),
    "value: a label named by the rule stays": (
        "{name: g, type: gauge, value: '{n}', labels: {n: '{n}'}}",
        ["a:1|g|#n:8"],
        {'g{n="8"}': 8},
    ),
    "value_map: members of a set": (
        "{name: health, type: gauge, value_map: {GREEN: 0, '*': 2}}",
        ["a:RED|s", "a:GREEN|s"],
        {"health": 0},
    ),
    "value_map: a tag": (
        "{name: health, type: gauge, value: '{state}', value_map: {up: 1, down: 0}}",
        ["a:5|g|#state:up"],
        {"health": 1},
    ),
    "untyped": ("{name: u, type: untyped}", ["a:5|g", "a:+2|g", "a:+2|g"], {"u": 9}),
    "untyped: with a value of its own": ("{name: u, type: untyped, value: '{value}'}", ["a:5|c"], {"u": 5}),
    "info": (
        "{name: build, type: info, labels: {version: '{version}'}}",
        ["a:5|g|#version:1.2", "a:7|g|#version:1.2"],
        {'build_info{version="1.2"}': 1},
    ),
    "stateset": (
        "{name: st, type: stateset, states: [green, grey, red]}",
        ["a:red|s|#host:x", "a:green|s|#host:x"],
        {'st{host="x",st="green"}': 1, 'st{host="x",st="grey"}': 0, 'st{host="x",st="red"}': 0},
    ),
    "stateset: by a tag": (
        "{name: st, type: stateset, states: [up, down], value: '{state}'}",
        ["a:5|g|#state:down"],
        {'st{st="up"}': 0, 'st{st="down"}': 1},
    ),
    "match: by the value": (
        "{match: {metric: status, value: '5??'}, name: errors, value: '1', type: counter}",
        ["status:200|g", "status:503|g", "status:503|g", "status:201|g"],
        {"errors": 2, "status": 201},
    ),
    "match: a capture of the value": (
        "{match: {metric: status, value: '{class}??'}, name: n, value: '1', type: counter,"
        " labels: {class: '{class}xx'}}",
        ["status:200|g", "status:503|g", "status:503|g"],
        {'n{class="2xx"}': 1, 'n{class="5xx"}': 2},
    ),
    "labels: the value": (
        "{name: n, type: counter, labels: {code: '{value}'}, value: '1'}",
        ["status:200|g", "status:503|g"],
        {'n{code="200"}': 1, 'n{code="503"}': 1},
    ),
    "a later rule is looked at when the value does not match": (
        "{match: {metric: a, value: '1'}, name: ones}\n- {match: {metric: a}, name: others}",
        ["a:2|c", "a:1|c", "a:3|c", "a:1|c"],
        {"ones": 2, "others": 5},
    ),
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("rules", "lines", "wanted"), CASES.values(), ids=CASES)
def test_what_a_rule_makes_of_each_line(
    rules: str, lines: list[str], wanted: dict[str, float], which: str
) -> None:
    assert fed(engine(rules, which), *lines) == wanted


BAD = {
    "{name: n, value: '{size}'}": ("a:1|c", "not_a_number"),
    "{name: n, type: gauge, value: '{size}'}": ("a:1|c|#size:big", "not_a_number"),
    "{name: n, type: counter, value: '{size}'}": ("a:1|c|#size:inf", "not_a_number"),
    "{name: n, type: summary, value: '{size}'}": ("a:1|c|#size:nan", "not_a_number"),
    "{name: n, type: gauge, value_map: {UP: 1}}": ("a:DOWN|s", "unmapped_value"),
    "{name: n, type: stateset, states: [UP]}": ("a:DOWN|s", "unknown_state"),
    "{name: n, type: untyped}": ("a:1|c", "wrong_type"),
    "{name: n, type: counter, exemplar: {t: '{t}'}}": ("a:1|ms|#t:x", "wrong_type"),
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("rule", "line", "reason"), [(rule, *bad) for rule, bad in BAD.items()])
def test_a_line_that_gives_nothing_is_counted_each_time(
    rule: str, line: str, reason: str, which: str
) -> None:
    subject = engine(rule, which)

    assert fed(subject, line, line) == {}
    assert subject.totals()["podmates_rule_errors_total"] == {("app", "0", reason): 2}
    assert subject.totals()["podmates_rule_matches_total"] == {("app", "0"): 2}


LATER = {
    "{name: st, type: stateset, states: [5]}": "unknown_state",
    "{name: st, type: gauge, value_map: {5: 1}}": "unmapped_value",
    "{name: st, type: gauge, value: '{size}'}": "not_a_number",
    "{name: st, type: untyped}": "wrong_type",
    "{match: {type: timer}, name: st, type: counter, action: continue}": "wrong_type",
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize("rule", LATER)
def test_a_rule_that_could_not_use_a_line_is_asked_again_beside_another(rule: str, which: str) -> None:
    subject = engine(f"{{name: every, action: continue}}\n- {rule}", which)
    kind = "ms" if "timer" in rule else "c"
    fed(subject, *[f"a:1|{kind}|#size:x"] * 3)

    assert subject.totals()["podmates_rule_errors_total"] == {("app", "1", LATER[rule]): 3}
    assert subject.totals()["podmates_rule_matches_total"] == {("app", "0"): 3, ("app", "1"): 3}
    if "5" in rule:
        assert "st" in str(fed(subject, f"a:5|{kind}|#size:x"))


def test_a_state_counts_as_one_event_whatever_the_number_of_states() -> None:
    subject = engine("{name: st, type: stateset, states: [a, b, c]}")
    fed(subject, "x:b|s", "x:c|s")

    assert subject.totals()["podmates_rule_matches_total"] == {("app", "0"): 2}
    assert total(subject, "statsd_exporter_events_total", "set") == 2


def test_a_negative_number_does_not_move_a_counter() -> None:
    subject = engine("{name: n, type: counter, value: '{size}'}")

    assert fed(subject, "a:1|c|#size:-5") == {}
    assert total(subject, "statsd_exporter_events_error_total", "illegal_negative_counter") == 1


def test_a_line_that_stands_for_less_than_one_is_no_observation() -> None:
    subject = engine("{name: n, type: summary, value: '{value}'}")

    assert fed(subject, "a:1|c|@2", "a:1|c|@nan") == {}


def test_one_rule_that_asks_for_the_value_makes_no_other_line_slow() -> None:
    subject = engine("{match: {metric: a, value: '1'}, name: ones}\n- {match: {metric: b}, name: b}")
    fed(subject, "b:1|c", "a:1|c", "a:2|c")

    assert total(subject, "podmates_statsd_remembered_lines") == 1


def test_states_are_told_apart_beyond_the_longest_label() -> None:
    made = ruleset(
        EVENTS + "rules: [{name: st, type: stateset, states: [green, grey]}]\nlimits: {label_value_length: 2}"
    )
    module = twin("pure")
    subject = Engine(module, Ruled(made, "app"), Styles(extended=True), store=Store(module.Cell))

    assert fed(subject, "a:grey|s|#host:long") == {
        'st{host="lo",st="green"}': 0,
        'st{host="lo",st="grey"}': 1,
    }


def test_the_formats_tell_infos_and_states_as_they_are() -> None:
    subject = engine(
        "{match: {metric: b}, name: b, type: info, labels: {v: '{v}'}}\n"
        "- {match: {metric: s}, name: s, type: stateset, states: [up, down]}\n"
        "- {match: {metric: u}, name: u, type: untyped}"
    )
    fed(subject, "b:1|g|#v:1", "s:up|s", "u:1|g")

    shown = openmetrics(subject)
    found = text_string_to_metric_families(shown)  # type: ignore[no-untyped-call]
    assert {family.name: family.type for family in found} == {"b": "info", "s": "stateset", "u": "unknown"}
    heads = [line for line in page(subject).splitlines() if line.startswith("# TYPE")]
    assert heads == ["# TYPE b_info gauge", "# TYPE s gauge", "# TYPE u untyped"]
