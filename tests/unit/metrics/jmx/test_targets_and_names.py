"""Targets, object names and the names of metrics: tables of what is written and what it means."""

from __future__ import annotations

import time

import pytest

from podmates_metrics.jmx import naming, objectname
from podmates_metrics.jmx.querytext import Query, parse_query
from podmates_metrics.jmx.target import parse_target
from podmates_metrics.jmx.walk import Reading

TARGETS = {
    "localhost:9999": ("", "localhost", 9999, "jmxrmi"),
    ":9999": ("", "localhost", 9999, "jmxrmi"),
    "shop=10.0.0.1:9999": ("shop", "10.0.0.1", 9999, "jmxrmi"),
    "[::1]:9999": ("", "::1", 9999, "jmxrmi"),
    " host:1 ": ("", "host", 1, "jmxrmi"),
    "service:jmx:rmi:///jndi/rmi://host:1/jmxrmi": ("", "host", 1, "jmxrmi"),
    "service:jmx:rmi:///jndi/rmi://host/other": ("", "host", 1099, "other"),
    "service:jmx:rmi://a:2/jndi/rmi://[::1]:1/jmxrmi": ("", "::1", 1, "jmxrmi"),
    "a.b-c=service:jmx:rmi:///jndi/rmi://:1/jmxrmi": ("a.b-c", "localhost", 1, "jmxrmi"),
}


@pytest.mark.parametrize(("text", "meaning"), TARGETS.items())
def test_a_target_is_understood(text: str, meaning: tuple[str, str, int, str]) -> None:
    target = parse_target(text)

    assert (target.name, target.registry.host, target.registry.port, target.bound) == meaning


NO_TARGETS = {
    "": "expected HOST:PORT",
    "host": "expected HOST:PORT",
    "host:0": "no port",
    "host:65536": "no port",
    "host:99999999999999999999": "no port",
    "host:01234567": "no port",
    "host:x": "no port",
    "host:١": "no port",
    "::1:9999": "needs brackets",
    "user@host:1": "no host",
    "a b:1": "no host",
    "name=": "expected HOST:PORT",
    "service:jmx:rmi:///stub/rO0AB": "only URLs like",
    "service:jmx:jmxmp://host:1": "only URLs like",
}


@pytest.mark.parametrize(("text", "reason"), NO_TARGETS.items())
def test_what_is_no_target_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_target(text)


QUERIES = {
    "d:a=1": Query("d:a=1"),
    "d:a=1/A": Query("d:a=1", "A"),
    "d:a=1/A/k": Query("d:a=1", "A", "k"),
    'd:a="x/y",*/A': Query('d:a="x/y",*', "A"),
    "*:*": Query("*:*"),
    "m_{attribute}==d:a=1/A": Query("d:a=1", "A", metric="m_{attribute}"),
    "m<a={x}, b=c>==d:a=1/A": Query("d:a=1", "A", None, "m", (("a", "{x}"), ("b", "c"))),
}


@pytest.mark.parametrize(("text", "query"), QUERIES.items())
def test_a_query_is_understood(text: str, query: Query) -> None:
    assert parse_query(text) == query


@pytest.mark.parametrize("text", ["", "d", "m==d", "d/a:b", 'd:a="x', "<a=b>==d:a=1", "d:a=1/"])
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_query(text)


def test_the_label_is_the_name_or_the_address() -> None:
    assert parse_target("shop=h:1").label == "shop"
    assert parse_target("[::1]:1").label == "[::1]:1"


OBJECT_NAMES = {
    "d:b=2,a=1": ("d", [("b", "2"), ("a", "1")]),
    'd:a="x,y=\\"z\\"",b=1': ("d", [("a", '"x,y=\\"z\\""'), ("b", "1")]),
    "d:a=,b= x ": ("d", [("a", ""), ("b", " x ")]),
    "d:a=//host/path,b=1": ("d", [("a", "//host/path"), ("b", "1")]),
    "d:": ("d", []),
    "": ("", []),
    'd:a="unclosed': ("d", [("a", "")]),
}


@pytest.mark.parametrize(("text", "parts"), OBJECT_NAMES.items())
def test_an_object_name_is_taken_apart(text: str, parts: tuple[str, list[tuple[str, str]]]) -> None:
    found = objectname.parse(text)

    assert (found.domain, list(found.properties)) == parts


def test_equal_names_have_the_same_canonical_text() -> None:
    assert objectname.parse("d:b=2,a=1").canonical == "d:a=1,b=2"


@pytest.mark.parametrize("text", ["", "plain", 'a,b=c:"d"', "*?\\", "two\nlines"])
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert objectname.unquote(objectname.quote(text)) == text
    assert objectname.parse(f"d:a={objectname.quote(text)}").get("a") == objectname.quote(text)


def test_a_hostile_name_costs_linear_time() -> None:
    began = time.process_time()
    objectname.parse('d:a="' + "x" * 100_000)
    objectname.parse('d:a="' + "\\x" * 100_000)

    assert time.process_time() - began < 2


def reading(domain: str, attribute: str, *keys: str, **properties: str) -> Reading:
    return Reading(domain, tuple(properties.items()), keys, attribute, None, 1)


NAMES = {
    "java_lang_Memory_HeapMemoryUsage_used": reading("java.lang", "used", "HeapMemoryUsage", type="Memory"),
    "d_v_a": reading("d", "a", t="v"),
    "d_a": reading("d", "a"),
    "a_b_c": reading("a__b", "c"),
    "_9_a": reading("9", "a"),
    "_x": reading("", "--x"),
    "d_a_": reading("d", "aé"),
    "d_a:b": reading("d", "a:b"),
    "d_x": reading("d", "x_total_info_bucket"),
    "d_xTotal": reading("d", "xTotal"),
}


@pytest.mark.parametrize(("name", "source"), NAMES.items())
def test_the_default_name(name: str, source: Reading) -> None:
    assert naming.default_name(source) == name


@pytest.mark.parametrize(("text", "left"), {"_total": "total", "x_total": "x", "_info_total": "info"}.items())
def test_reserved_suffixes_go_however_many_there_are(text: str, left: str) -> None:
    assert naming.stripped(text) == left


def test_labels_are_the_other_properties_and_the_last_of_two_equals_wins() -> None:
    source = reading("d", "a", **{"type": "t", "a-b": "1", "a_b": "2", "9": "", "x:y": '"q"'})

    assert naming.default_labels(source) == ({"a_b": "2", "_9": "", "x_y": '"q"'}, 1)


def test_help_says_where_a_sample_comes_from() -> None:
    source = reading("d", "a", type="t")

    assert naming.help_text(source) == "d:name=null,type=t,attribute=a"
    assert (
        naming.help_text(source._replace(description="Say it.")) == "Say it. d:name=null,type=t,attribute=a"
    )
    assert naming.help_text(source._replace(description="a")) == "d:name=null,type=t,attribute=a"


def test_no_label_is_called_as_the_name_of_the_metric_is() -> None:
    assert [naming.label(text) for text in ("__name__", ":_name_:", ":_NAME_:")] == [
        "_name_",
        "_name_",
        "_NAME_",
    ]
