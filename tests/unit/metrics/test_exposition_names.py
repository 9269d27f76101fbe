"""Names that only Prometheus 3 knows: as rules make them, in quotes for it, and escaped for all others."""

from __future__ import annotations

import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from podmates_metrics.documents import parse
from podmates_metrics.exposition.names import Names, escaped, is_plain, series, shown
from podmates_metrics.exposition.negotiation import Format, choose
from podmates_metrics.exposition.page import page
from podmates_metrics.native.file import decode
from podmates_metrics.records import Record
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.keeping import Kept
from podmates_metrics.rules.paths import Json
from podmates_metrics.sources.base import Family, Sample
from podmates_metrics.tree import Fault

PLAIN = {"a": True, "a_b:c": True, "_1": True, "1a": False, "a.b": False, "é": False, "": False, "a b": False}


@pytest.mark.parametrize(("name", "plain"), PLAIN.items())
def test_a_name_that_every_prometheus_knows_stays_without_quotes(name: str, plain: bool) -> None:
    assert is_plain(name) is plain
    assert shown(name) == (name if plain else f'"{name}"')


def test_what_has_a_meaning_in_quotes_is_escaped() -> None:
    assert series('a"\\\n', (("b\n", 'c"'),)) == r'{"a\"\\\n","b\n"="c\""}'
    assert (series("a.b", ()), series("a", ()), series("a", (("b", "c"),))) == ('{"a.b"}', "a", 'a{b="c"}')


def applied(text: str, document: Json) -> Applied:
    tree = parse(f"names: utf8\nsources: {{page: {{http: {{url: 'http://x'}}}}}}\nrules: {text}")
    assert tree is not None
    native = decode(tree)
    made = Applied(native.policy.ruleset(native.rules, "page"))
    made.document(document)
    return made


def test_names_are_as_the_rules_make_them() -> None:
    made = applied("[{match: {path: '{what}'}, name: 'page.{what}', labels: {a.b: '{what}'}}]", {"ü x": 1})

    assert made.families["page.ü x"].samples == [Sample((("a.b", "ü x"),), 1.0)]


def test_units_and_kinds_still_finish_a_name() -> None:
    text = "[{match: {path: a}, name: 'a.b_ms'}, {match: {path: c}, name: c.d, type: info}]"

    assert list(applied(text, {"a": 500, "c": 1}).families) == ["a.b_seconds", "c.d_info"]


def test_no_two_names_of_a_page_become_one() -> None:
    text = "[{match: {path: a}, name: x.y}, {match: {path: b}, name: x_y}, {match: {path: c}, name: x/y}]"
    made = applied(text, {"a": 1, "b": 2, "c": 3})

    assert list(made.families) == ["x.y"]
    assert dict(made.errors) == {("1", "conflict"): 1, ("2", "conflict"): 1}


def test_no_two_names_of_a_log_become_one_while_both_are_there() -> None:
    tree = parse(
        "{names: utf8, sources: {l: {log: {paths: [/l], format: logfmt}}},"
        " rules: [{name: '{n}', type: counter, ttl: 10s}]}"
    )
    assert tree is not None
    native = decode(tree)
    kept = Kept(native.policy.ruleset(native.rules, "l"))

    for name, now in (("x.y", 0.0), ("x_y", 1.0), ("x.y", 2.0)):
        kept.record(Record({"n": name}, None), now, now)
    assert [family.name for family in kept.families(3.0)] == ["x.y"]
    assert dict(kept.errors) == {("0", "conflict"): 1}
    assert kept.families(60.0) == []
    kept.record(Record({"n": "x_y"}, None), 61.0, 61.0)
    assert [family.name for family in kept.families(62.0)] == ["x_y"]


_TOTALS = [Sample((), 1.0, "_sum"), Sample((), 1.0, "_count")]
FAMILIES = {
    family.name: family
    for family in (
        Family("a.b", "gauge", 'Some "help".', [Sample((("c.d", 'x"y'), ("e", "ü")), 1.5)]),
        Family("a.n_total", "counter", "", [Sample((), 2.0)]),
        Family("h.h", "histogram", "", [Sample((("le", "+Inf"),), 1.0, "_bucket"), *_TOTALS]),
        Family("plain", "gauge", "", [Sample((("e", "x"),), 4.0)]),
    )
}
OWN = {"own_x": Family("own_x", "gauge", "", [Sample((), 9.0)])}


def told(format: Format, names: Names) -> str:
    return b"".join(page(format, [], FAMILIES, OWN, names=names)).decode()


def test_the_text_format_has_them_in_quotes() -> None:
    text = told(Format.TEXT, Names.QUOTED)

    assert '# TYPE "a.b" gauge\n{"a.b","c.d"="x\\"y",e="ü"} 1.5\n' in text
    assert '\n{"h.h_bucket",le="+Inf"} 1\n{"h.h_sum"} 1\n' in text
    assert '\nplain{e="x"} 4\n' in text
    found = {sample.name: sample for family in read_text(text) for sample in family.samples}
    assert found["a.b"].labels == {"c.d": 'x"y', "e": "ü"}


def test_openmetrics_has_them_in_quotes() -> None:
    text = told(Format.OPENMETRICS, Names.QUOTED)

    assert '# TYPE "a.n" counter\n{"a.n_total"} 2\n' in text
    families = {family.name: family for family in read_openmetrics(text)}  # type: ignore[no-untyped-call]
    assert families["a.b"].samples[0].labels == {"c.d": 'x"y', "e": "ü"}


@pytest.mark.parametrize("format", [Format.TEXT, Format.OPENMETRICS])
def test_who_does_not_know_them_gets_them_escaped(format: Format) -> None:
    text = told(format, Names.ESCAPED)

    assert '\na_b{c_d="x\\"y",e="ü"} 1.5\n' in text
    assert "a_n_total 2" in text
    assert '\nh_h_bucket{le="+Inf"} 1\n' in text
    assert not re.search(r'^\{|TYPE "', text, re.MULTILINE)


def test_protobuf_has_them_as_they_are_or_escaped() -> None:
    assert b"a.b" in b"".join(page(Format.PROTOBUF, [], FAMILIES, OWN, names=Names.QUOTED))
    there = b"".join(page(Format.PROTOBUF, [], FAMILIES, OWN, names=Names.ESCAPED))
    assert b"a_b" in there and b"a.b" not in there and b"c.d" not in there


def test_of_several_sources_names_that_become_one_are_one_family() -> None:
    def one(name: str, kind: str, label: str, value: float) -> Family:
        return Family(name, kind, "", [Sample((("l", label),), value)])  # type: ignore[arg-type]

    some = [one("a.b", "gauge", "x", 1), one("a/b", "gauge", "x", 2), one("a_b", "gauge", "y", 3)]
    some += [one("a b", "info", "z", 4), one("own.x", "gauge", "z", 5)]
    found = escaped({family.name: family for family in some}, OWN)

    assert list(found) == ["a_b"]
    assert found["a_b"].kind == "info"
    found = escaped({family.name: family for family in some[:3]}, OWN)
    assert [(sample.labels[0][1], sample.value) for sample in found["a_b"].samples] == [("x", 1), ("y", 3)]


ACCEPTS = {
    "": Names.ESCAPED,
    "text/plain;version=1.0.0;escaping=allow-utf-8": Names.QUOTED,
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2": Names.QUOTED,
    "application/openmetrics-text;version=1.0.0,text/plain;escaping=allow-utf-8;q=0.5": Names.ESCAPED,
    "text/plain;escaping=values": Names.ESCAPED,
    "text/plain;escaping=dots": Names.ESCAPED,
}


@pytest.mark.parametrize(("accept", "names"), ACCEPTS.items())
def test_quotes_are_for_who_asks_for_them(accept: str, names: Names) -> None:
    choice = choose(accept, openmetrics=True, utf8=True)

    assert choice.names is names
    end = "escaping=allow-utf-8" if names is Names.QUOTED else "escaping=underscores"
    assert choice.content_type.endswith(end)
    assert choose(accept, openmetrics=True).names is Names.PLAIN


FAULTS = {
    "names: other": "names: other is neither escaped nor utf8",
    "names: utf8\nrules: [{name: ''}]": "rules[0].name: want a name",
    "names: utf8\nrules: [{name: a, labels: {a.b: x, a_b: y}}]": "labels.a_b: is a.b as well where names",
    "names: utf8\nrules: [{name: a, labels: {__a.b: x}}]": "invalid label key: __a.b",
    "names: escaped\nrules: [{name: a.b}]": "'a.b' is no metric name",
    "names: utf8\nrules: [{name: a, labels: {a.b: x}}]\nsources: {s: {statsd: {udp: ':1'}}}": "key: a.b; if",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=FAULTS.values())
def test_what_cannot_be_a_name_is_refused(text: str, reason: str) -> None:
    tree = parse(text)
    assert tree is not None
    with pytest.raises(Fault, match=re.escape(reason)):
        decode(tree)
