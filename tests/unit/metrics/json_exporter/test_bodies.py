"""Bodies of requests: text as it stands, and the subset of Go's templates."""

from __future__ import annotations

import contextlib

import pytest

from podmates_metrics.json_exporter.core.bodies import Body, Refused, parse
from podmates_metrics.json_exporter.core.bodyfunctions import FUNCTIONS, Failed

QUERY = {"x": ["a", "B"], "target": ["http://t"], "seconds": ["3725"], "empty": [""]}
FILLED = {
    "plain": "plain",
    '{"a": "{{ .x | first }}"}': '{"a": "a"}',
    "{{ .x }}": "[a B]",
    "{{ .nope }}": "<no value>",
    "{{ first .x }}-{{ last .x }}": "a-B",
    "{{ index .x 1 | lower }}": "b",
    "{{ .x | join `,` | upper }}": "A,B",
    "{{ .x | len }}": "2",
    '{{ .nope | default "d" }}': "d",
    "{{ .empty | first | default `d` }}": "d",
    "{{ .seconds | first | duration }} {{ duration `95` }} {{ duration 0 }}": "1h2m5s 1m35s 0s",
    "{{ (.x | first) | quote }}": '"a"',
    "{{ replace `a` `b` (first .x) }}": "b",
    "{{ .x | toJson }}": '["a","B"]',
    "{{ trim ` y ` | b64enc }}": "eQ==",
    "a {{- 1 -}} b": "a1b",
    "{{/* said */}}x": "x",
    "{{ true }} {{ `}}` }}": "true }}",
    '{{ "q\\"q" }}': 'q"q',
    "{ {x} }": "{ {x} }",
    '{{ "{{" }}': "{{",
}


@pytest.mark.parametrize(("template", "text"), FILLED.items())
def test_a_template_is_filled_from_the_query(template: str, text: str) -> None:
    assert parse(template, templated=True).render(QUERY) == text


def test_without_templatize_nothing_is_replaced() -> None:
    assert parse("{{ .x }}", templated=False).render(QUERY) == "{{ .x }}"


@pytest.mark.parametrize(
    "template",
    [
        "{{ .nope | first }}",
        "{{ upper .x }}",
        "{{ index .x 5 }}",
        "{{ first }}",
        "{{ len 5 }}",
        "{{ trim `a` `b` }}",
    ],
)
def test_a_template_that_does_not_fit_the_query_fails(template: str) -> None:
    body = parse(template, templated=True)

    with pytest.raises(Failed):
        body.render(QUERY)
    assert body.content == template


@pytest.mark.parametrize(
    "template",
    [
        "{{ if .x }}a{{ end }}",
        "{{ range .x }}{{ end }}",
        "{{ env `HOME` }}",
        "{{ printf `%s` .x }}",
        "{{ $x := 1 }}",
        "{{ 1.5 }}",
        "x" * 70_000,
    ],
    ids=lambda template: template[:20],
)
def test_what_is_not_offered_is_refused_when_the_file_is_read(template: str) -> None:
    with pytest.raises(Refused):
        parse(template, templated=True)


@pytest.mark.parametrize(
    "template",
    [
        "{{ nosuch .x }}",
        "{{ .x.y }}",
        "{{ .x",
        "{{ }}",
        "{{ (.x }}",
        "{{ .x | .y }}",
        "{{ .x first }}",
        '{{ "\\q" }}',
        "{{ # }}",
        "{{ " + "(" * 100 + ".x" + ")" * 100 + " }}",
    ],
    ids=lambda template: template[:20],
)
def test_a_template_that_go_cannot_read_is_sent_as_it_stands(template: str) -> None:
    body = parse(template, templated=True)

    assert body.render(QUERY) == template
    assert body.fault


def test_a_text_may_be_as_long_as_it_likes() -> None:
    assert parse("x" * 70_000, templated=False) == Body("x" * 70_000)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_fails_otherwise_than_by_failing(name: str) -> None:
    for arguments in (
        "",
        ".x",
        ".nope",
        "1",
        "`a`",
        "`a` `b`",
        "`a` .x 3",
        "`a` `b` `c`",
        "-99999999999",
        ".",
        "true",
    ):
        body = parse(f"{{{{ {name} {arguments} }}}}", templated=True)
        with contextlib.suppress(Failed):
            assert isinstance(body.render(QUERY), str)
