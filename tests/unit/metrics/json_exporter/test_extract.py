"""A document through modules: the observed cases of json_exporter, and what each rule of extraction gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podmates_metrics.documents import parse as parse_yaml
from podmates_metrics.json_exporter.core import documents
from podmates_metrics.json_exporter.core.extract import (
    MOST_SERIES,
    MOST_TEXT,
    Conflict,
    Extracted,
    extract,
    number,
)
from podmates_metrics.json_exporter.core.modules import Module, decode
from podmates_metrics.json_exporter.core.page import text

_CASES = [
    case
    for line in (Path(__file__).parents[3] / "support" / "json_cases.jsonl").read_text().splitlines()
    if (case := json.loads(line))["document_path"] and case["document"]
]


def module(yaml: str) -> Module:
    return decode(parse_yaml(yaml)).by_name["default"]


def metrics(*entries: str) -> Module:
    return module("modules:\n  default:\n    metrics:\n" + "".join(f"    - {entry}\n" for entry in entries))


def extracted(told: Module, document: Any) -> Extracted:
    return extract(told.metrics, documents.parse(json.dumps(document).encode()))


def page(document: Any, *entries: str) -> list[str]:
    """Return the samples that *entries* make."""
    lines = text(extracted(metrics(*entries), document).families).splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["id"])
def test_an_observed_case_gives_the_observed_page(case: dict[str, Any]) -> None:
    told = module(case["config_yaml"])
    document = documents.parse(case["document"].encode())

    if case["status"] == 500:
        with pytest.raises(Conflict):
            extract(told.metrics, document)
    else:
        assert text(extract(told.metrics, document).families) == case["body"]


VALUES = {
    "1": 1,
    " 1": None,
    "1e3": 1000,
    "0x1p4": 16,
    "T": 1,
    "False": 0,
    "yes": None,
    "Inf": float("inf"),
    "1e999": None,
    "": None,
    "null": None,
    "12 13": None,
    "-.5": -0.5,
}


@pytest.mark.parametrize(("written", "value"), VALUES.items())
def test_what_is_a_value_is_as_go_reads_it(written: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match=r"not a number|out of range"):
            number(written)
    else:
        assert number(written) == value


def test_a_missing_label_is_empty_and_told() -> None:
    told = metrics("{name: m, path: '{.a}', labels: {x: '{.nope}', y: '{.b}', z: lit}}")
    found = extracted(told, {"a": 1, "b": {"k": [1234567]}})

    assert text(found.families).splitlines()[-1] == 'm{x="",y="{\\"k\\":[1234567]}",z="lit"} 1'
    assert found.problems == {("m", "label x"): "nope is not found"}
    assert found.failures == {("m", "label x"): 1}


def test_labels_print_numbers_as_go_does() -> None:
    entry = "{name: m, path: '1', labels: {a: '{.a}', b: '{.b}', c: '{.c}', d: '{.d}'}}"

    document = {"a": 12345678901234, "b": 999999, "c": None, "d": True}
    assert page(document, entry) == ['m{a="1.2345678901234e+13",b="999999",c="null",d="true"} 1']


def test_a_metric_that_fails_leaves_the_others() -> None:
    told = metrics("{name: a, path: '{.x}'}", "{name: b, path: '{.y}'}", "{name: c, path: '{.z[*]}'}")
    found = extracted(told, {"y": 2, "z": [1, 2]})

    assert list(found.families) == ["b"]
    assert found.problems == {("a", "value"): "x is not found", ("c", "value"): "'1 2' is not a number"}


def test_a_missing_key_may_be_allowed_and_null_is_none() -> None:
    told = metrics(
        "{name: a, path: '{.x}', allow_missing_key: true}",
        "{name: b, path: '{.n}', allow_missing_key: true}",
        "{name: c, type: object, path: '{.x[*]}', values: {v: '{.v}'}, allow_missing_key: true}",
    )
    found = extracted(told, {"n": None})

    assert found.families == {}
    assert list(found.problems) == [("b", "value")]


def test_each_match_of_an_object_is_a_document_of_its_own() -> None:
    entry = (
        "{name: q, type: object, path: '{.queues[*]}', valuetype: gauge, help: Queues.,"
        " labels: {name: '{.name}', host: '{.host}'}, values: {length: '{.len}', 'up-time': '{.up}'}}"
    )
    document = {"host": "h", "queues": [{"name": "b", "len": 2, "up": True}, {"name": "a", "len": "x"}]}
    found = extracted(metrics(entry), document)

    assert text(found.families).splitlines() == [
        "# HELP q_length Queues.",
        "# TYPE q_length gauge",
        'q_length{host="",name="b"} 2',
        "# HELP q_up_time Queues.",
        "# TYPE q_up_time gauge",
        'q_up_time{host="",name="b"} 1',
    ]
    assert found.failures["q_length", "label host"] == 1


def test_a_list_without_a_star_is_one_match() -> None:
    entry = "{name: q, type: object, path: '{.queues}', values: {len: '{.len}'}}"

    assert page({"queues": [{"len": 2}]}, entry) == []
    assert page({"queues": {"len": 2}}, entry) == ["q_len 2"]


def test_a_timestamp_is_whole_milliseconds_and_a_large_number_is_none() -> None:
    entry = "{name: m, path: '{.a}', epochtimestamp: '{.t}'}"

    assert page({"a": 1, "t": "1657568506123"}, entry) == ["m 1 1657568506123"]
    assert page({"a": 1, "t": 999}, entry) == ["m 1 999"]
    for unusable in (1657568506123, "x", None, "1" * 30, 1.5):
        assert page({"a": 1, "t": unusable}, entry) == ["m 1"]


def test_series_of_one_name_may_differ_in_labels_and_time_and_not_in_type() -> None:
    labelled = "{name: m, path: '{.a}', labels: {x: '1'}}"

    assert page({"a": 1}, labelled, "{name: m, path: '{.a}', help: other}") == ["m 1", 'm{x="1"} 1']
    with pytest.raises(Conflict, match="m is both untyped and gauge"):
        page({"a": 1}, labelled, "{name: m, path: '{.a}', valuetype: gauge}")
    with pytest.raises(Conflict, match=r"m \{x='1'\} was collected before"):
        page({"a": 1}, labelled, labelled)


def test_the_series_of_a_probe_are_bounded() -> None:
    entry = "{name: m, type: object, path: '{.a[*]}', values: {v: '1'}, labels: {i: '{}'}}"

    with pytest.raises(Conflict, match=f"more than {MOST_SERIES} series"):
        page({"a": list(range(MOST_SERIES + 1))}, entry)


def test_the_text_of_all_labels_is_bounded() -> None:
    entry = "{name: m, type: object, path: '{..}', values: {v: '1'}, labels: {i: '{}', n: '{.n}'}}"
    deep: Any = "x" * 900_000
    for depth in range(100):
        deep = {"n": depth, "a": deep}

    with pytest.raises(Conflict, match=f"labels of more than {MOST_TEXT} characters"):
        page(deep, entry)


def test_names_are_made_fit_for_prometheus_character_by_character() -> None:
    assert page({"a": 1}, "{name: '9a--b.c:d', path: '{.a}', labels: {'x-y': lit}}") == [
        '_a__b_c:d{x_y="lit"} 1'
    ]
