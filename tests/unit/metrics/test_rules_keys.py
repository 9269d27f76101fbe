"""The keys of a rule, one by one, on a page and on events."""

from __future__ import annotations

import pytest

from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.paths import Json
from podmates_metrics.sources.base import Exemplar
from podmates_metrics.tree import Fault
from tests.unit.metrics.native_rules import EVENTS, PAGE, events, lines, page, ruleset

STATUS: Json = {"health": "GREEN", "uptime": "12.5", "version": "1.2", "heap": {"used_kb": 3, "max_kb": 4}}

ON_A_PAGE = {
    "value_map": ("{each: health, name: health, value_map: {GREEN: 0, RED: 2}}", ["health 0"]),
    "value_map, all others": ("{each: version, name: v, value_map: {GREEN: 0, '*': -1}}", ["v -1"]),
    "scale": ("{each: uptime, name: uptime, scale: 10}", ["uptime 125"]),
    "unit from the name": (
        "{match: {path: 'heap.{which}_kb'}, name: 'heap_{which}_kb'}",
        ["heap_used_bytes 3072", "heap_max_bytes 4096"],
    ),
    "unit": ("{each: uptime, name: uptime, unit: min}", ["uptime_seconds 750"]),
    "unit and scale": ("{each: uptime, name: uptime_ms, scale: 2, unit: min}", ["uptime_seconds 1500"]),
    "info": (
        "{each: $, name: build, type: info, labels: {version: '{version}'}}",
        ['build_info{version="1.2"} 1'],
    ),
    "stateset": (
        "{each: health, name: health, type: stateset, states: [GREEN, RED]}",
        ['health{health="GREEN"} 1', 'health{health="RED"} 0'],
    ),
    "an empty label is none": ("{each: $, name: x, value: '1', labels: {a: '', b: c}}", ['x{b="c"} 1']),
    "drop": (
        "{match: {path: 'heap.max*'}, action: drop}\n- {match: {path: 'heap.*'}, name: x, unit: none}",
        ["x 3"],
    ),
    "continue": (
        "{each: heap, name: a, value: '{used_kb}', action: continue}\n"
        "- {each: heap, name: b, value: '{max_kb}'}",
        ["a 3", "b 4"],
    ),
    "the first that matches": (
        "{match: {path: 'heap.used*'}, name: a}\n- {match: {path: 'heap.**'}, name: b}",
        ["a 3", "b 4"],
    ),
}


@pytest.mark.parametrize(("rules", "wanted"), ON_A_PAGE.values(), ids=ON_A_PAGE)
def test_what_a_key_does_on_a_page(rules: str, wanted: list[str]) -> None:
    assert lines(page(f"rules:\n- {rules}", STATUS).families) == wanted


def test_kinds_help_and_units_are_told() -> None:
    families = page("rules:\n- {each: uptime, name: uptime_ms, type: counter, help: Up.}", STATUS).families

    assert [(f.name, f.kind, f.help, f.unit) for f in families.values()] == [
        ("uptime_seconds", "counter", "Up.", "seconds")
    ]


BAD_RECORDS = {
    "{each: health, name: health}": "not_a_number",
    "{each: health, name: health, value_map: {RED: 2}}": "unmapped_value",
    "{each: health, name: health, type: stateset, states: [UP]}": "unknown_state",
    "{each: $, name: x, value: '1', labels: {a: '{nothing}'}}": "missing_field",
    "{each: $, name: '{nothing}', value: '1'}": "missing_field",
    "{each: heap.*, name: x}": "duplicate",
}


@pytest.mark.parametrize(("rule", "reason"), BAD_RECORDS.items())
def test_a_record_that_gives_nothing_is_counted_with_its_reason(rule: str, reason: str) -> None:
    assert page(f"rules:\n- {rule}", STATUS).errors == {("0", reason): 1}


def test_unmatched_numbers_are_shown_or_not_as_the_defaults_say() -> None:
    rule = "rules: [{match: {path: 'heap.used*'}, name: used}]\n"

    assert lines(page(rule, STATUS).families) == ["used 3"]
    assert lines(page(rule + "defaults: {unmapped: expose}", STATUS).families) == [
        "used 3",
        "app_heap_max_kb 4",
    ]
    assert lines(page("defaults: {unmapped: drop}", STATUS).families) == []


def test_a_source_has_its_own_say_about_unmatched_numbers() -> None:
    source = "sources: {app: {http: {url: 'http://x/'}, unmapped: %s}}\n"
    rules = "rules: [{match: {path: a}, name: a}]\n"

    for own, default, wanted in (("expose", "drop", ["a 1", "app_b 2"]), ("drop", "expose", ["a 1"])):
        applied = Applied(ruleset(source % own + rules + f"defaults: {{unmapped: {default}}}"))
        applied.document({"a": 1, "b": 2})
        assert lines(applied.families) == wanted


LINES = [
    {"status": status, "ms": ms, "id": ms} for status, ms in (("200", "500"), ("200", "1000"), ("500", "250"))
]
ON_EVENTS = {
    "counter": ("{name: n, type: counter, labels: {s: '{status}'}}", ['n{s="200"} 2', 'n{s="500"} 1']),
    "counter of values": ("{name: n_ms, type: counter, value: '{ms}', labels: {}}", ["n_seconds 1.75"]),
    "gauge": ("{name: n, value: '{ms}'}", ["n 250"]),
    "histogram": (
        "{name: n, type: histogram, value: '{ms}', unit: ms, buckets: [0.25, 0.5]}",
        [
            'n_seconds_bucket{le="0.25"} 1',
            'n_seconds_bucket{le="0.5"} 2',
            'n_seconds_bucket{le="+Inf"} 3',
            "n_seconds_sum 1.75",
            "n_seconds_count 3",
        ],
    ),
    "summary": (
        "{name: n, type: summary, value: '{ms}', quantiles: [0.5, 1]}",
        ['n{quantile="0.5"} 500', 'n{quantile="1"} 1000', "n_sum 1750", "n_count 3"],
    ),
    "stateset": (
        "{name: n, type: stateset, states: ['200', '500'], value: '{status}'}",
        ['n{n="200"} 0', 'n{n="500"} 1'],
    ),
}


@pytest.mark.parametrize(("rules", "wanted"), ON_EVENTS.values(), ids=ON_EVENTS)
def test_what_a_type_makes_of_events(rules: str, wanted: list[str]) -> None:
    assert lines(events(f"rules:\n- {rules}", *LINES).families(0.0)) == wanted


def test_an_exemplar_stands_with_the_bucket_that_counted_it() -> None:
    rule = "{name: n, type: histogram, value: '{ms}', buckets: [300], exemplar: {id: '{id}', x: '{none}'}}"
    [family] = events(f"rules:\n- {rule}", *LINES).families(0.0)

    assert [sample.exemplar for sample in family.samples] == [
        Exemplar((("id", "250"),), 250.0, 2.0),
        Exemplar((("id", "1000"),), 1000.0, 1.0),
        None,
        None,
    ]


FAULTS = {
    PAGE + "rules: [{name: x, buckets: [1]}]": "buckets is for type histogram, this is gauge",
    PAGE + "rules: [{name: x, type: stateset}]": "rules[0]: states is missing",
    PAGE + "rules: [{name: x, type: info, scale: 2}]": "scale is for type counter or gauge",
    PAGE + "rules: [{name: x, type: info, value: '{path}'}]": "value of an info is always 1",
    PAGE + "rules: [{name: x, action: stop}]": "action stop is not map, drop or continue",
    PAGE + "rules: [{name: x, action: drop}]": "action drop makes no series and needs no name",
    PAGE + "rules: [{name: x, scale: 0}]": "rules[0].scale: want a number other than 0",
    PAGE + "rules: [{name: x, scale: big}]": "rules[0].scale: cannot unmarshal",
    PAGE + "rules: [{name: x, unit: 'm s'}]": "rules[0].unit: 'm s' is no unit",
    PAGE + "rules: [{name: x, limit: 0}]": "rules[0].limit: want a whole number",
    PAGE + "rules: [{name: x, type: gauge, ttl: 1m}]": "rules[0].ttl: ttl needs from",
    PAGE + "rules: [{name: x}, {name: y}]": "rules[1]: is never reached: rules[0] takes all",
    PAGE + "rules: [{name: x, type: set}]": "type set is none of counter",
    EVENTS + "rules: [{name: x, each: a}]": "a statsd source has no documents",
    EVENTS + "rules: [{name: x, type: histogram, buckets: [1, 1]}]": "want numbers that increase",
    EVENTS + "rules: [{name: x, type: summary, quantiles: [2]}]": "a quantile lies between 0 and 1",
    EVENTS + "rules: [{name: x, type: histogram, labels: {le: a}}]": "a histogram has a label le of its own",
    EVENTS + "rules: [{name: x, type: stateset, states: [a, a]}]": "distinct texts",
    EVENTS + "rules: [{name: x, value_map: {a: b}}]": "rules[0].value_map.a: cannot unmarshal",
    PAGE + "limits: {series: 1}": "limits.series: field series not found",
    PAGE + "limits: {on_overflow: stop}": "stop is neither aggregate nor drop",
    "sources: {app: {http: {url: 'http://x/'}, unmapped: x}}": "sources.app.unmapped: x is neither expose",
    PAGE + "defaults: {unmapped: keep}": "keep is neither expose nor drop",
    PAGE + "defaults: {ttl: -1s}": "want a time between 0",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=lambda text: text[-60:])
def test_what_a_key_cannot_be_is_told_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        ruleset(text)

    assert reason in str(caught.value)
