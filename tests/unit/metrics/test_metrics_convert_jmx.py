"""The native form of a jmx_exporter file makes the same families of the same beans, or there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from podmates_metrics.converting.jmx import SOURCE, convert
from podmates_metrics.documents import parse
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.objectname import parse as parse_name
from podmates_metrics.jmx.view import Reporting
from podmates_metrics.jmx_exporter.configuration import decode as decode_foreign
from podmates_metrics.jmx_exporter.view import RuledView
from podmates_metrics.native.file import Native, decode
from podmates_metrics.rules.finished import views
from podmates_metrics.sources.base import Family
from podmates_metrics.tree import Fault, Tree

SUPPORT = Path(__file__).parents[2] / "support"
CASES = {
    case["name"]: case
    for line in (SUPPORT / "jmx_cases.jsonl").read_text().splitlines()
    if (case := json.loads(line))
}
REFUSED = {name for name, case in CASES.items() if "refused" in case["want"]}
# What the native form cannot say, by the reason that is given.
INEXPRESSIBLE = {
    "duplicate label name": "rules[0].labels.a_b: a second label that comes out as a_b",
    "newline value no pattern": "rules[0].valueFactor: without a name: the native form has no factor",
    "default snake": "rules[0].attrNameSnakeCase: the native form sees attributes by their own names",
    "help template": "rules[0].help: the native form has no captures in it",
    "cache with value group": "rules[0].cache: with a pattern, a value or $0 that would see",
    "customizer": "metricCustomizers: the native form has no labels from attributes of a bean",
    "delay": "startDelaySeconds: the native form has no delay",
    "timeout": "scrapeTimeoutSeconds: the native form has no limit for one JVM",
}
CONVERTED = [name for name in CASES if name not in REFUSED and name not in INEXPRESSIBLE]
_KINDS: dict[str, Callable[[str], Any]] = {
    "l": int,
    "d": float,
    "bd": float,
    "f": float,
    "s": lambda text: text.replace("\\n", "\n"),
}


def tree(file: dict[str, Any]) -> Tree | None:
    return parse(json.dumps(file))


def native(text: str) -> Native:
    found = parse(text)
    assert found is not None
    return decode(found)


def beans() -> list[tuple[ObjectName, dict[str, str | None], dict[str, Any]]]:
    """Return the beans of the observed cases: name, descriptions, values."""
    made = []
    for line in (SUPPORT / "jmx_beans.tsv").read_text().splitlines()[1:]:
        name, *attributes = line.split("\t")
        descriptions: dict[str, str | None] = {}
        values = {}
        for attribute in attributes:
            key, _, said = attribute.partition("=")
            plain, _, description = key.partition("|")
            kind, _, value = said.partition(":")
            descriptions[plain], values[plain] = description or None, _KINDS[kind](value)
        made.append((parse_name(name), descriptions, values))
    return made


def page(report: Reporting) -> dict[str, Family]:
    for bean in beans():
        report.add(*bean)
    return {family.name: family for family in report.families()}


def both(file: dict[str, Any]) -> tuple[dict[str, Family], dict[str, Family]]:
    """Return the families of a file as it is, and of its native form."""
    targets = {} if file.keys() & {"hostPort", "jmxUrl"} else {"": "localhost:9999"}
    made = native(convert(tree(file), targets))
    rules = made.policy.ruleset(made.rules, SOURCE, expose=True)
    ours = views(rules, SOURCE, made.jvms[0].seen).report()
    return page(RuledView(decode_foreign(tree(file), {}), standard=True).report()), page(ours)


@pytest.mark.parametrize("name", CONVERTED)
def test_an_observed_file_and_its_native_form_make_the_same_families(name: str) -> None:
    theirs, ours = both(CASES[name]["file"])

    assert ours == theirs
    wanted = {sample[0] for sample in CASES[name]["want"]["samples"]}
    assert {found for found in wanted if not found.startswith("java_")} <= set(ours)


def test_of_the_observed_cases_most_are_converted_and_the_rest_is_refused() -> None:
    counts = {"converted": len(CONVERTED), "wrong": len(REFUSED), "inexpressible": len(INEXPRESSIBLE)}
    print(counts)
    assert counts == {"converted": 32, "wrong": 13, "inexpressible": 8}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_file_that_is_wrong_is_refused(name: str) -> None:
    with pytest.raises(Fault):
        convert(tree(CASES[name]["file"]), {"": "localhost:9999"})


@pytest.mark.parametrize(("name", "reason"), INEXPRESSIBLE.items())
def test_what_the_native_form_has_no_words_for_is_refused_with_its_place(name: str, reason: str) -> None:
    with pytest.raises(Fault, match=rf"line \d+: {re.escape(reason)}"):
        convert(tree(CASES[name]["file"]), {"": "localhost:9999"})


FAULTS: dict[str, dict[str, Any]] = {
    "rules[0].pattern: look-around, back-references": {"rules": [{"pattern": "(?=a)b", "name": "x"}]},
    "rules[0].pattern: without a name": {"rules": [{"pattern": "java.*"}]},
    "rules[0].type: without a name": {"rules": [{"type": "GAUGE"}]},
    "rules[0].labels.$1: the native form has no captures in the name": {
        "rules": [{"pattern": "(a)", "name": "x", "labels": {"$1": "b"}}]
    },
    "rules[0].cache: with a pattern, a value or": {
        "rules": [{"pattern": "<>Count", "name": "x", "labels": {"a": "$0"}, "cache": True}]
    },
    "rules[0].labels.a: a second label that comes out as a": {
        "lowercaseOutputLabelNames": True,
        "rules": [{"pattern": "a", "name": "x", "labels": {"A": "b", "a": "b"}}],
    },
    "rules[0].labels.a: 'x{': the native form has no way": {
        "rules": [{"pattern": "a", "name": "x", "labels": {"a": "x{"}}]
    },
    "rules[0].labels: comes out as no name": {"rules": [{"pattern": "a", "name": "x", "labels": {"": "b"}}]},
    "rules[0].valueFactor: the native form has finite": {
        "rules": [{"pattern": "a", "name": "x", "valueFactor": 0}]
    },
    "username: a native jmx source sends no password": {"username": "me", "password": "secret"},
    "ssl: a native jmx source has no TLS": {"ssl": True},
    "httpServer: the web port is said by the flags": {"httpServer": {"threads": {}}},
    "openTelemetry: a native file has a section otlp": {"openTelemetry": {"endpoint": "http://x"}},
    "hostPort: names a JVM already": {"hostPort": "localhost:1"},
}


@pytest.mark.parametrize(("reason", "file"), FAULTS.items(), ids=FAULTS)
def test_what_cannot_be_said_is_named_and_no_password_is_told(reason: str, file: dict[str, Any]) -> None:
    with pytest.raises(Fault, match=re.escape(reason)) as caught:
        convert(tree(file), {"": "localhost:9999"})
    assert "secret" not in str(caught.value)


def test_labels_of_rules_are_in_small_letters_where_the_file_wants_that() -> None:
    rule = {"pattern": "name=(.*)><>Count", "name": "n", "labels": {"Who": "$1", "a-B": "x"}}
    theirs, ours = both({"lowercaseOutputLabelNames": True, "rules": [rule]})

    assert ours == theirs
    assert {name for name, _ in ours["n"].samples[0].labels} == {"who", "a_b"}


def test_a_file_without_a_jvm_wants_a_target() -> None:
    with pytest.raises(Fault, match=re.escape("say which JVM it is for by --target=HOST:PORT")):
        convert(tree({"rules": []}), {})
    with pytest.raises(Fault, match="--target: "):
        convert(tree({"rules": []}), {"": "nowhere"})
    with pytest.raises(Fault, match="there is no module a in a file of jmx_exporter"):
        convert(tree({"rules": []}), {"a": "localhost:1"})


def test_a_rule_that_drops_all_that_is_left_ends_the_file() -> None:
    rules = [{"pattern": "type=A", "name": "a"}, {"name": ""}, {"pattern": "b", "name": "c"}]
    theirs, ours = both({"rules": rules})

    assert ours == theirs
    assert list(ours) == ["a"]


def test_whatever_a_key_is_made_of_the_native_form_can_be_read() -> None:
    text = convert(
        parse('{hostPort: "a:1", "odd\\e\\nrules": 1, rules: [{pattern: "\\L", name: x, help: "\\N"}]}'), {}
    )

    assert text.startswith("# left out, for jmx_exporter passes over it: line 1: odd? rules: unknown\n")
    assert native(text).rules[0].help == "\x85"


def test_the_native_form_is_for_people() -> None:
    text = """
hostPort: localhost:9999
startDelaySeconds: 0
lowercaseOutputName: true
whitelistObjectNames: ["kafka.server:*"]
colour: blue
rules:
- pattern: '^kafka.server<type=(.+), name=(.+), topic=(.+)><>Count'
  name: kafka_server_$1_$2-total
  type: COUNTER
  cache: true
  labels: {topic: "$3"}
- {pattern: "kafka.(\\\\w+)<><>(a|b)", name: "$1:x", valueFactor: 0.001, help: Some.}
- pattern: ".*"
- {pattern: later, name: never}
"""
    assert (
        convert(parse(text), {})
        == """\
# left out, for jmx_exporter passes over it: line 6: colour: unknown
# left out, for it changes no series: rules[0].cache
# left out, for it is never reached: rules[3]
sources: {jvm: {jmx: {target: "localhost:9999", include: ["kafka.server:*"], \
as_jmx_exporter: {lowercase_names: true}}}}
rules:
- match: {line: "~kafka.server<type=(?P<p1>.+), name=(?P<p2>.+), topic=(?P<p3>.+)><>Count.*"}
  name: "kafka_server_{p1}_{p2}_total"
  type: counter
  labels: {topic: "{p3}"}
- match: {line: "~.*(?:kafka.(?P<p1>[0-9A-Z_a-z]+)<><>(?P<p2>a|b)).*"}
  name: "{p1}:x"
  type: untyped
  scale: 0.001
  help: "Some."
"""
    )
