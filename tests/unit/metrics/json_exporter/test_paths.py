"""Path templates: what Kubernetes' own package answered, and what keeps them within bounds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podmates_metrics.json_exporter.core import documents
from podmates_metrics.json_exporter.core.grammar import LONGEST
from podmates_metrics.json_exporter.core.paths import LONGEST_TEXT, Template
from podmates_metrics.json_exporter.core.steps import PathError, compare

# k8s.io/client-go v0.31.0 was run for these, with the paths that its order of keys does not touch.
_OBSERVED = json.loads((Path(__file__).parents[3] / "support" / "json_paths.json").read_text())
_DOCUMENTS = {name: documents.parse(text.encode()) for name, text in _OBSERVED["documents"].items()}


def shown(text: str, document: object, *, lenient: bool = False) -> str | None:
    try:
        return Template(text).show(document, lenient=lenient)
    except PathError:
        return None


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_a_template_gives_what_kubernetes_gives(name: str) -> None:
    answers = [row for row in _OBSERVED["answers"] if row[0] == name]

    wrong = [
        (path, lenient, want)
        for _, path, lenient, want in answers
        if shown(path, _DOCUMENTS[name], lenient=lenient) != want
    ]

    assert answers
    assert wrong == []


def test_members_come_in_the_order_of_the_document() -> None:
    document = {"z": 1.0, "a": {"y": 2.0, "b": 3.0}}

    assert shown("{.a.*}", document) == "2 3"
    assert shown("{..b} {.z}", document) == "3 1"


def test_a_template_that_cannot_be_read_is_made_and_fails_with_the_reason() -> None:
    template = Template("{.a[")

    assert template.fault == "unterminated array"
    with pytest.raises(PathError, match="unterminated array"):
        template.show({"a": 1.0})


@pytest.mark.parametrize(
    "text",
    [
        "x" * (LONGEST + 1),
        "{.a" + "[?(@.b" * 100 + ")]" * 100 + "}",
        "{range.}" * 500,
        "{" + "@" * 4000,
    ],
    ids=["long", "filters in filters", "loops in loops", "no end"],
)
def test_a_hostile_template_ends(text: str) -> None:
    with pytest.raises(PathError):
        Template(text).show({"a": [{"b": 1.0}]})


def test_what_a_template_visits_is_bounded() -> None:
    wide: object = {"a": [{"a": [{"a": [{}] * 200}] * 200}] * 200}

    with pytest.raises(PathError, match="more than 2000000 values"):
        Template("{..a..a..a}").show(wide)


def test_what_a_template_gives_is_bounded() -> None:
    with pytest.raises(PathError, match=f"more than {LONGEST_TEXT} characters"):
        Template("{range .a[*]}{}{end}").show({"a": ["x" * 10_000] * 200})
    with pytest.raises(PathError, match=f"more than {LONGEST_TEXT} characters"):
        Template("{..}").show({"a": {"b": {"c": ["x" * 500_000]}}})


def test_a_deep_document_costs_no_more_than_an_error() -> None:
    deep: object = 1.0
    for _ in range(100_000):
        deep = [deep]

    assert shown("{}", deep) is None
    assert shown("{..x}", deep, lenient=True) == ""


def test_numbers_of_a_path_and_of_a_document_differ_in_kind() -> None:
    assert compare("==", 1.0, 1.0)
    for left, right, sign in (
        (1.0, 1, "=="),
        ("1", 1.0, "<"),
        (True, False, "<"),
        ({}, {}, "=="),
        (1.0, 1.0, "=!"),
    ):
        with pytest.raises(PathError):
            compare(sign, left, right)


def test_matches_are_found_whole_and_only_of_a_single_action() -> None:
    document = {"a": [{"b": 1.0}, None], "c": 2.0}

    assert Template("{.a[*]}").find(document) == [{"b": 1.0}, None]
    assert Template("{7}").find(document) == [7.0]
    for text in ("", "{.a}{.c}", "{.x}"):
        with pytest.raises(PathError):
            Template(text).find(document)


@pytest.mark.parametrize(
    ("text", "reason"),
    {
        b"": "Expecting value",
        b"{": "Expecting property name",
        b"[NaN]": "NaN is no JSON",
        b"[1e999]": "too large",
        b"1" * 400: "too large",
        b"[" * 200_000: "nested too deep",
        b'{"a": 1} x': "Extra data",
    }.items(),
    ids=["empty", "cut", "NaN", "exponent", "digits", "deep", "more"],
)
def test_what_is_no_json_is_told_so(text: bytes, reason: str) -> None:
    with pytest.raises(documents.NotJson, match=reason):
        documents.parse(text)


def test_json_is_taken_as_go_takes_it() -> None:
    assert documents.parse(b'{"a": 12345678901234567890, "a": -0, "b": "\xff"}') == {"a": -0.0, "b": "\ufffd"}
    assert isinstance(documents.parse(b"1"), float)
