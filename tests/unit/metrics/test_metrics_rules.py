"""The native rules on JSON documents."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.exposition.text import given as text_of
from podmates_metrics.native.file import Native, decode, shape
from podmates_metrics.records import Record
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.paths import Json
from podmates_metrics.tree import Fault
from tests.unit.metrics.native_rules import lasting

SOURCE = "sources: {app: {http: {url: 'http://localhost:1/status'}}}\nrules:\n"
PAGE: Json = {
    "version": "1.2",
    "up": True,
    "uptime": 12.5,
    "requests": {"get": {"count": 3, "errors": 1}, "put": {"count": 4}},
    "workers": [
        {"name": "w0", "queues": {"mail": {"length": 5}, "jobs": {"length": "7"}}},
        {"name": "w1", "queues": {"mail": {"length": None}}},
    ],
}


def native(text: str) -> Native:
    tree = parse(text)
    assert tree is not None
    return decode(tree)


def apply(rules: str, document: Json = PAGE, *, expose: bool = False) -> Applied:
    applied = Applied(Ruleset(native(SOURCE + rules).rules if rules else (), "app", expose=expose))
    applied.document(document)
    return applied


def series(applied: Applied) -> list[str]:
    text = "".join(text_of(family) for family in applied.families.values())
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_each_chooses_records_with_names_from_member_key_and_parent() -> None:
    applied = apply(
        """
- from: app
  each: workers[*].queues.*
  name: queue_length
  help: Waiting.
  type: gauge
  value: "{length}"
  labels: {worker: "{^.name}", queue: "{@key}"}
"""
    )

    assert series(applied) == [
        'queue_length{queue="mail",worker="w0"} 5',
        'queue_length{queue="jobs",worker="w0"} 7',
    ]
    assert applied.matches == {"0": 3}
    assert applied.errors == {("0", "not_a_number"): 1}, "w1's length is null"


def test_without_each_every_number_is_a_record_with_its_path() -> None:
    applied = apply(
        """
- {match: {path: "requests.{verb}.count"}, name: http_requests, type: counter, labels: {verb: "{verb}"}}
- {match: {path: up}, name: app_up}
- {match: {path: "~(?P<what>uptime)"}, name: "app_{what}_seconds"}
- {match: {path: "requests.**"}, name: never_reached_for_counts, labels: {path: "{path}"}}
"""
    )

    assert set(series(applied)) == {
        "app_up 1",
        "app_uptime_seconds 12.5",
        'http_requests{verb="get"} 3',
        'http_requests{verb="put"} 4',
        'never_reached_for_counts{path="requests.get.errors"} 1',
    }


def test_a_page_without_rules_is_exposed_by_its_paths() -> None:
    applied = apply("", {"a": {"b-c": 1}, "l": [1, 2], "t": "text"}, expose=True)

    assert series(applied) == ["app_a_b_c 1", "app_l_0 1", "app_l_1 2"]


def test_match_is_about_members_when_each_is_given() -> None:
    applied = apply(
        "- {each: 'workers[*]', match: {name: 'w{n}'}, name: workers, value: '1', labels: {n: '{n}'}}"
    )

    assert series(applied) == ['workers{n="0"} 1', 'workers{n="1"} 1']


def test_a_record_of_text_goes_by_its_own_fields() -> None:
    rule = "{from: app, match: {status: '5??'}, name: errors, labels: {path: '{path}'}, value: '{bytes}'}"
    applied = Applied(lasting(f"rules: [{rule}]"))
    for status in ("200", "503"):
        applied.record(Record({"text": "a line", "status": status, "path": "/a", "bytes": "7"}))
    applied.record(Record({"text": "another line"}, 3.0))

    assert series(applied) == ['errors{path="/a"} 7']
    assert applied.records == 3


def test_one_bad_record_costs_a_count() -> None:
    applied = apply(
        "- {each: 'a[*]', name: n, value: '{v}', labels: {l: '{l}'}}",
        {"a": [{"v": 1, "l": "x"}, {"v": 1}, {"v": 2, "l": "x"}, 5, {"v": [], "l": "y"}]},
    )

    assert series(applied) == ['n{l="x"} 1']
    assert sum(applied.errors.values()) == 4


FAULTS = {
    "source: 1": "line 1: source: field source not found in type file",
    SOURCE + "- {from: app, nam: x}": "line 3: rules[0].nam: field nam not found in type rule",
    SOURCE + "- {from: app, value: '1'}": "line 3: rules[0]: name is missing",
    SOURCE
    + "- {from: app, name: x, colour: y}": "line 3: rules[0].colour: field colour not found in type rule",
    SOURCE + "- {from: other, name: x}": "rules[0].from: there is no source other",
    SOURCE + "- {name: x, labels: {a: '{b}'}}": "rules[0].labels.a: {b}: no pattern captures it",
    SOURCE + "- {name: x, each: 'a[?(@.b)]'}": "rules[0].each: cannot read the path",
    SOURCE + "- {name: x, type: histogram}": "rules[0].type: type histogram needs from: a source of events",
    SOURCE + "- {name: x, ttl: 5m}": "rules[0].ttl: ttl needs from: a source of events",
    SOURCE + "- {name: 'a b'}": "rules[0].name: 'a b' is no metric name",
    SOURCE + "- {name: x, match: {path: '~('}}": "rules[0].match.path: ",
    SOURCE + "- {name: x, match: {path: '{a}{a}'}}": "rules[0].match.path: {a}: want a new name",
    SOURCE + "- {name: x, labels: {__a: b}}": "invalid label key: __a",
    SOURCE + "- {name: x, value: '{a'}": "a brace without its partner",
    "sources: {a: {log: {}}}": "sources.a.log.paths: want a list of absolute paths",
    "sources: {a: {log: {paths: [/l], from: saved}}}": "from: saved and a file of state go together",
    "sources: {a: {log: {paths: [/l], from: x}}}": "from: x: want end, start or saved",
    "sources: {a: {log: {paths: [/l], format: csv}}}": "format csv is not offered; want one of line",
    "sources: {a: {sql: {}}}": "source kind sql: unknown; want one of http",
    "sources: {a: {http: {}}}": "sources.a.http: url is missing",
    "sources: {a: {http: {url: 'ftp://x'}}}": "sources.a.http.url: want an address",
    "sources: {a: {http: {url: 'http://[::1'}}}": "sources.a.http.url: there is no host",
    "sources: {a: {http: {url: 'http://x:99999/'}}}": "sources.a.http.url: there is no host",
    "sources: {a: {http: {url: 'http://:80/'}}}": "sources.a.http.url: there is no host",
    "sources: {a: {http: {url: 'http://u:p@x', headers: {authorization: b}}}}": (
        "sources.a.http.headers.authorization: there is a user in the address: want one of the two"
    ),
    "sources: {a: {http: {url: 'http://x', headers: {X: \"a\\x01\"}}}}": "headers.X: no header of HTTP",
    "sources: {a: {http: {url: 'http://x', headers: {'X: secret': a}}}}": "headers: a name that is no",
    "sources: {a: {http: {url: 'http://a..b:1/x'}}}": "url: want a host whose parts",
    "sources: {a: {socket: {connect: 'tcp://a..b:1', format: json}}}": "connect: want a host whose parts",
    "sources: {a: {http: {url: 'http://x', retries: 1}}}": "field retries not found in type source.http",
    "sources: {a: {http: {url: 'http://x', format: xml}}}": "format xml is not offered",
    "sources: {a: {jmx: {}}}": "sources.a.jmx: target is missing",
    "sources: {a: {jmx: {target: 'nowhere'}}}": "sources.a.jmx.target: expected HOST:PORT",
    "sources: {a: {jmx: {target: 'h:1', queries: [x]}}}": "sources.a.jmx.queries: expected [metric",
    "sources: {a: {jmx: {target: 'h:1', queries: [{}]}}}": "sources.a.jmx.queries: expected [metric",
    "sources: {a: {jmx: {target: 'h:1', queries: x}}}": "sources.a.jmx.queries: want a list",
    "sources: {a: {}}": "want one of http, socket, file, command, log, jmx, statsd",
    "sources: {a: {http: {url: 'http://x', timeout: 5}}}": "time: invalid duration",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=lambda text: text[-50:])
def test_a_fault_is_named_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        native(text)

    assert reason in str(caught.value)


def test_sources_of_three_kinds() -> None:
    found = native(
        "sources: {s: {statsd: {udp: ':1'}}, j: {jmx: {target: 'localhost:9999', queries: ['d:*/A']}},"
        " h: {http: {url: 'http://x/', timeout: 1s}}}"
    )

    assert found.statsd is not None
    assert (found.statsd.udp, found.statsd.tcp) == (":1", "")
    [jvm] = found.jmx
    assert (jvm.label, str(jvm.registry), [query.attribute for query in jvm.queries]) == (
        "j",
        "localhost:9999",
        ["A"],
    )
    assert [pull.timeout for pull in found.pulls] == [1.0]


SHAPES = {
    "sources: {}": "native",
    "mappings: []": "statsd_exporter",
    "defaults: {ttl: 1s}": "statsd_exporter",
    "modules: {}": "json_exporter",
    "hostPort: x": "jmx_exporter",
    "rules: [{pattern: x}]": "jmx_exporter",
    "rules: [{name: x}]": "native",
}


@pytest.mark.parametrize(("text", "kind"), SHAPES.items())
def test_a_file_is_told_by_its_shape(text: str, kind: str) -> None:
    assert shape(parse(text)) == kind
