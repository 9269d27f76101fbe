"""The native form of json_exporter's modules makes the same page of the same document, or there is none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from podmates_metrics.converting.modules import convert
from podmates_metrics.documents import parse
from podmates_metrics.json_exporter.core import documents
from podmates_metrics.json_exporter.core.extract import extract
from podmates_metrics.json_exporter.core.modules import decode as decode_modules
from podmates_metrics.json_exporter.core.page import text as page_of
from podmates_metrics.native.file import decode
from podmates_metrics.tree import Fault
from podmates_metrics.trial.run import run

URL = "http://localhost:8080/status"
CASES = {
    case["id"]: case
    for line in (Path(__file__).parents[2] / "support" / "json_cases.jsonl").read_text().splitlines()
    if (case := json.loads(line))
}
# What the native form cannot say, or what json_exporter makes nothing of, by the reason that is given.
REFUSED = {
    "path/no braces": "'.counter' is no number, and a path stands in braces",
    "path/star many": "a wildcard, where json_exporter takes only one value",
    "path/bad syntax": "'{.a[' cannot be read: unterminated array",
    "name/duplicate": "the same series as modules.default.metrics[0]: json_exporter answers with status 500",
    "object/duplicate series": "every match gives the same series: json_exporter answers with status 500",
}
CONVERTED = [name for name in CASES if name not in REFUSED]


def native(yaml: str) -> str:
    """Return the native form, which loads."""
    text = convert(parse(yaml), {"": URL})
    tree = parse(text)
    assert tree is not None
    decode(tree)
    return text


def ours(yaml: str, document: str) -> list[str]:
    """Return the page that the native form makes, without an order."""
    return sorted(run(parse(native(yaml)), document.encode()).page.splitlines())


@pytest.mark.parametrize("name", CONVERTED)
def test_an_observed_case_gives_the_observed_page(name: str) -> None:
    case = CASES[name]
    wanted = sorted(case["body"].splitlines()) if case["status"] == 200 else []

    if case["document"]:
        assert ours(case["config_yaml"], case["document"]) == wanted
    else:  # nothing was fetched, or there is nothing to make series of
        assert native(case["config_yaml"])
        assert wanted == []


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_what_cannot_be_said_or_means_nothing_is_refused_with_its_place(name: str, reason: str) -> None:
    with pytest.raises(Fault, match=rf"line \d+: modules.default.metrics\[\d\]: .*{re.escape(reason)}"):
        native(CASES[name]["config_yaml"])


def test_of_the_observed_cases_two_thirds_are_converted() -> None:
    print({"converted": len(CONVERTED), "refused": len(REFUSED)})
    assert (len(CONVERTED), len(REFUSED)) == (10, 5)


DOCUMENT = """
{"name": "shop", "on": true, "load_ms": 250, "text": "1e3", "o\u2028n": 6,
 "a": {"b-c": {"d": 5}, "l": [{"v": 1, "n": "x"}]},
 "rows": [{"id": "r1", "n": 1, "m": {"k": 2}, "s": [7]}, {"id": "r2", "n": 2, "m": {"k": 3}, "s": [8]}]}
"""
_OBJECT = "{name: r, type: object, "
METRICS = {
    "a member": "{name: m, path: '{.a.l[0].v}'}",
    "a literal beside it": "{name: m, path: '1{.load_ms}'}",
    "a name in quotes": "{name: m, path: \"{.a['b-c'].d}\"}",
    "labels of the document": "{name: m, path: '{.load_ms}', labels: {shop: '{.name}', fixed: yes}}",
    "labels beside an item": "{name: m, path: '{.a.l[0].v}', labels: {n: '{.a.l[0].n}'}}",
    "a name with a unit": "{name: load_ms, path: '{.load_ms}', valuetype: gauge, help: 'Some: help.'}",
    "a line end in a name": '{name: m, path: "{.o\\u2028n}"}',
    "a truth value": "{name: m, path: '{.on}'}",
    "a text": "{name: m, path: '{ .text }'}",
    "objects": _OBJECT + "path: '{.rows[*]}', values: {n: '{.n}', k: '{.m.k}'}, labels: {id: '{.id}'}}",
    "an item of each": _OBJECT + "path: '{.rows.*}', values: {s: '{.s[0]}'}, labels: {s: '{.s[0]}'}}",
    "members of all": _OBJECT + "path: '{.rows[*]}', values: {one: '1'}, labels: {id: 'x-{.id}'}}",
    "nothing there": _OBJECT + "path: '{.gone[*]}', values: {n: '{.n}'}, labels: {id: '{.id}'}}",
}


@pytest.mark.parametrize("entry", METRICS.values(), ids=METRICS)
def test_a_metric_gives_what_json_exporter_makes_of_it(entry: str) -> None:
    yaml = f"modules: {{default: {{metrics: [{entry}, {{name: last, path: '{{.load_ms}}'}}]}}}}"
    theirs = extract(
        decode_modules(parse(yaml)).by_name["default"].metrics, documents.parse(DOCUMENT.encode())
    )

    assert ours(yaml, DOCUMENT) == sorted(page_of(theirs.families).splitlines())
    assert not theirs.problems or "gone" in entry


FAULTS = {
    "metrics: [{name: m, path: '{..a}'}]": "metrics[0]: '{..a}': native paths have no `..`",
    "metrics: [{name: m, path: '{.a[1:2]}'}]": "native paths have no slices",
    "metrics: [{name: m, path: '{.a[?(@.b==1)]}'}]": "native paths have no filters",
    "metrics: [{name: m, path: \"{['a','b']}\"}]": "native paths have no unions",
    "metrics: [{name: m, path: '{range .a}{.b}{end}'}]": "native paths have no",
    "metrics: [{name: m, path: '{.a[0]}', labels: {xx: '{.b}'}}]": "a position or an odd name",
    "metrics: [{name: m, path: '{.a}', labels: {xx: 'b}'}}]": "no way to write a brace",
    "metrics: [{name: 'a:b', path: '{.a}'}]": "the native form has names of letters, digits and _",
    "metrics: [{name: m, path: '{.a}', epochtimestamp: '{.t}'}]": "[0].epochtimestamp: a native",
    "metrics: [{name: m, path: '{.a}', type: other}]": "Unknown metric type",
    "metrics: [{name: m, path: '{.a}'}, {name: m, path: '{.b}', valuetype: gauge}]": "another type before",
    "metrics: [{name: m, path: '{.a}', labels: {é_a: b}}]": "'__a': no label has such a name",
    "valid_status_codes: [404]": "default.valid_status_codes: a native source takes any status of 2xx",
    "body: {content: '{{.a}}', templatize: true}": "body.templatize: a native source has no query",
    "http_client_config: {}": "http_client_config.follow_redirects: json_exporter follows redirects",
    "http_client_config: {basic_auth: {username: me, password: secret}}": "config.basic_auth: a native",
    "http_client_config: {follow_redirects: no, tls_config: {cert_file: c, key_file: k}}": "cert_file: a",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=FAULTS.values())
def test_what_the_native_form_has_no_words_for_is_named(text: str, reason: str) -> None:
    with pytest.raises(Fault, match=re.escape(reason)) as caught:
        native(f"modules: {{default: {{{text}}}}}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ({}, "modules.b: which page is it for? Say it by --target=b=URL"),
        ({"": URL}, "--target: which module is it for? Say MODULE=URL; there are a, b"),
        ({"c": URL}, "--target: there is no module c"),
    ],
)
def test_every_module_wants_its_page(targets: dict[str, str], reason: str) -> None:
    with pytest.raises(Fault, match=re.escape(reason)):
        convert(parse("modules: {a: {}, b: {}}"), targets or {"a": URL})
    with pytest.raises(Fault, match="there is no module in it"):
        convert(parse("modules: {}"), {})
    with pytest.raises(Fault, match="a native source has a name of letters"):
        convert(parse("modules: {'a b': {}}"), {"": URL})


@pytest.mark.parametrize("what", ["null", "[1]", '{"x": 1}'])
def test_a_label_that_is_no_text_makes_no_series_any_more_and_that_is_said(what: str) -> None:
    yaml = "modules: {m: {metrics: [{name: n, path: '{.a}', labels: {what: '{.b}'}}]}}"

    assert ours(yaml, f'{{"a": 1, "b": {what}}}') == []
    assert "null, lists and objects count as missing" in native(yaml)


@pytest.mark.parametrize(
    ("name", "type", "told"),
    [("orders", "counter", True), ("orders_total", "counter", False), ("orders", "gauge", False)],
)
def test_a_counter_that_openmetrics_does_not_know_as_one_is_told(name: str, type: str, told: bool) -> None:
    tree = parse(f"modules: {{m: {{metrics: [{{name: {name}, path: '{{.a}}', valuetype: {type}}}]}}}}")
    assert ("counter without _total is unknown" in convert(tree, {"": URL})) == told


def test_the_native_form_is_for_people() -> None:
    yaml: Any = """
modules:
  shop:
    headers: {X-Team: shop}
    body: {content: 'what?'}
    http_client_config: {follow_redirects: false, tls_config: {ca_file: /ca.pem}}
    colour: blue
    metrics:
    - {name: orders_total, path: '{.orders.count}', valuetype: counter, help: Orders., allow_missing_key: yes}
    - name: queue
      type: object
      path: '{.queues[*]}'
      labels: {queue: '{.name}'}
      values: {length: '{.length}', wait_ms: '{.wait}'}
"""
    assert (
        convert(parse(yaml), {"shop": URL})
        == """\
# left out, for json_exporter passes over it: line 7: modules.shop.colour: unknown, without effect
# left out, for it changes no series: allow_missing_key in module shop
# other than json_exporter: a record without what a label names is counted as missing_field;
# and in labels numbers have all their digits; null, lists and objects count as missing
sources: {shop: {http: {url: "http://localhost:8080/status", headers: {X-Team: "shop"}, body: "what?", \
ca_file: "/ca.pem"}, unmapped: drop}}
limits: {series_per_family: 100000, series_total: 100000, label_value_length: 4096}
rules:
- from: "shop"
  each: "orders.count"
  name: "orders_total"
  type: counter
  help: "Orders."
- from: "shop"
  each: "queues[*]"
  name: "queue_length"
  type: untyped
  help: "queue"
  value: "{length}"
  labels: {queue: "{name}"}
  action: continue
- from: "shop"
  each: "queues[*]"
  name: "queue_wait_ms"
  type: untyped
  unit: none
  help: "queue"
  value: "{wait}"
  labels: {queue: "{name}"}
"""
    )
