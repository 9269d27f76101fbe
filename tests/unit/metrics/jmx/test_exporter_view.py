"""Readings become samples by rules: first match wins, names are finished, what is known is remembered."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.jmx import objectname
from podmates_metrics.jmx.javavalues import JavaFloat, Value
from podmates_metrics.jmx.messages import AttributeInfo
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.jmx_exporter.configuration import decode
from podmates_metrics.jmx_exporter.engine import Decision, Extra, snake_case
from podmates_metrics.jmx_exporter.view import RuledReport, RuledView
from podmates_metrics.sources.base import Family

Beans = Mapping[str, Mapping[str, Value]]


def view(text: str, *, standard: bool = False) -> RuledView:
    return RuledView(decode(parse(text), {}), standard=standard)


def fed(made: RuledView, beans: Beans) -> RuledReport:
    report = made.report()
    for bean, values in beans.items():
        report.add(objectname.parse(bean), {}, values)
    return report


def samples(families: list[Family]) -> dict[str, float]:
    return {
        f.name + "".join(f"[{key}={value}]" for key, value in s.labels): s.value
        for f in families
        for s in f.samples
    }


def page(text: str, beans: Beans) -> dict[str, float]:
    return samples(fed(view(text), beans).families())


BEAN = "app:type=Cache,name=users"
ONE: Beans = {BEAN: {"HitCount": 7}}
PAGES: dict[str, dict[str, float]] = {
    "rules: [{pattern: Hit, name: first}, {pattern: Hit, name: second}]": {"first": 7},
    "rules: [{pattern: Miss, name: first}, {pattern: Hit, name: second}]": {"second": 7},
    "rules: [{pattern: Miss, name: first}]": {},
    "rules: [{pattern: Miss}, {}]": {"app_Cache_HitCount[name=users]": 7},
    "rules: [{pattern: 'name=(.*)><>(.*)Count', name: c_$2, labels: {user: $1}}]": {"c_Hit[user=users]": 7},
    "rules: [{pattern: Hit, name: a--b__c, type: COUNTER}]": {"a_b_c_total": 7},
    "rules: [{pattern: Hit, name: a_total}]": {"a": 7},
    "rules: [{pattern: Hit, name: 9a}]": {"_9a": 7},
    "rules: [{pattern: Hit, name: a, valueFactor: 0.5}]": {"a": 3.5},
    "rules: [{pattern: ': (.)', name: a, value: $10, valueFactor: 2}]": {"a": 140},
    "rules: [{pattern: Hit, name: a, value: x}, {pattern: Hit, name: b}]": {},
    "rules: [{pattern: Hit, name: a, labels: {b: '', c-d: e}}]": {"a[c_d=e]": 7},
    "rules: [{pattern: hit_count, attrNameSnakeCase: true, name: a}]": {"a": 7},
    "rules: [{attrNameSnakeCase: true}]": {"app_Cache_hit_count[name=users]": 7},
    "lowercaseOutputName: true": {"app_cache_hitcount[name=users]": 7},
    "{lowercaseOutputLabelNames: true, rules: [{pattern: Hit, name: A, labels: {B: C}}]}": {"A[b=C]": 7},
    "{inferCounterTypeFromName: true, rules: [{pattern: Hit, name: a_total, type: GAUGE}]}": {"a_total": 7},
    "excludeObjectNames: ['app:*']": {},
    "excludeObjectNameAttributes: {'app:name=users,type=Cache': [HitCount]}": {},
}


@pytest.mark.parametrize(("text", "expected"), PAGES.items())
def test_what_a_file_makes_of_a_number(text: str, expected: dict[str, float]) -> None:
    assert page(text, ONE) == expected


def test_texts_become_samples_only_by_a_rule_with_a_value() -> None:
    beans: Beans = {"a:b=c": {"Version": "1.5", "State": "RUNNING"}}

    assert page("rules: [{pattern: State}, {pattern: 'Version: (.*)', name: v, value: $1}]", beans) == {
        "v": 1.5
    }
    assert page("rules: [{pattern: 'State: RUN', name: up, value: 1}]", beans) == {"up": 1}
    assert page("rules: [{pattern: State, name: up}]", beans) == {}


def test_truth_values_have_no_factor_and_floats_their_own_digits() -> None:
    beans: Beans = {"a:b=c": {"Up": True, "Share": JavaFloat(0.10000000149011612)}}

    assert page("rules: [{pattern: Up, name: up, valueFactor: 5}]", beans) == {"up": 1}
    assert page("rules: [{pattern: 'Share: 0.1$', name: share, value: 2}]", beans) == {"share": 2}


def test_a_rule_may_depend_on_the_number_and_is_asked_again() -> None:
    made = view("rules: [{pattern: ': 7', name: seven}, {name: other, pattern: Hit}]")

    for number, name in ((7, "seven"), (8, "other"), (7, "seven")):
        assert samples(fed(made, {BEAN: {"HitCount": number}}).families()) == {name: number}


@pytest.mark.parametrize(
    "what", ["name: 'hits_$0'", "name: hits, labels: {line: $0}", "name: hits, help: $0"]
)
@pytest.mark.parametrize("more", ["", ", cache: true"])
def test_the_whole_text_has_the_number_of_each_scrape_in_it(what: str, more: str) -> None:
    made = view(f"rules: [{{pattern: '<>HitCount', {what}{more}}}]")

    for number in (7, 8):
        (family,) = fed(made, {BEAN: {"HitCount": number}}).families()
        told = f"{family.name} {family.help} {family.samples[0].labels}"
        assert ("cache" if more else str(number)) in told


def test_what_does_not_depend_on_the_number_is_decided_once() -> None:
    made = view("rules: [{pattern: 'name=(.*)><>(.*)', name: a}, {pattern: '<>(\\w+)', name: $1}]")
    blind = view("rules: [{pattern: 'name=(.*)><>(\\w+)', name: $2}]")
    asked: list[str] = []
    for one in (made, blind):
        _spied(one, asked)
    for number in (1, 2, 3):
        assert samples(fed(made, {BEAN: {"HitCount": number}}).families()) == {"a": number}
        assert samples(fed(blind, {BEAN: {"HitCount": number}}).families()) == {"HitCount": number}

    assert len(asked) == 3 + 1


def _spied(made: RuledView, asked: list[str]) -> None:
    """Note in *asked* what the rules are asked about."""
    decide = made._engine._decide

    def spy(reading: Reading, extra: Extra) -> tuple[Decision, bool]:
        asked.append(reading.attribute)
        return decide(reading, extra)

    made._engine._decide = spy  # type: ignore[method-assign]


def test_what_is_gone_is_forgotten() -> None:
    made = view("")

    for index in range(100):
        fed(made, {f"a:b={index}": {"V": 1}}).families()

    assert len(made._engine._known) + len(made._engine._seen) <= 2


def test_rules_with_cache_see_no_value_and_are_counted() -> None:
    text = "rules: [{pattern: 'Hit.*: (.*)', name: a, labels: {v: $1}, cache: true}]"
    report = fed(view(text), {BEAN: {"HitCount": 7, "Miss": 1}})

    assert samples(report.families()) == {"a[v=<cache>]": 7}
    assert report.cached == 2


def test_one_family_of_two_kinds_is_untyped() -> None:
    text = """
    rules:
    - {pattern: 'name=(users)', name: n, type: COUNTER, labels: {n: $1}}
    - {pattern: 'name=(.*)>', name: n, type: GAUGE, labels: {n: x}}
    """
    [family] = fed(view(text), {**ONE, "app:type=Cache,name=other>": {"V": 1}}).families()

    assert (family.name, family.kind) == ("n", "untyped")


def test_a_counter_below_zero_is_dropped_and_counted() -> None:
    report = fed(view("rules: [{pattern: Hit, name: a, type: COUNTER, valueFactor: -1}]"), ONE)

    assert report.families() == []
    assert report.dropped == {"negative_counter": 1}


def test_a_name_too_long_for_patterns_is_dropped_and_counted() -> None:
    report = fed(view("rules: [{pattern: Hit, name: a}]"), {f"a:b={'x' * 70_000}": {"Hit": 1}})

    assert report.families() == []
    assert report.dropped == {"too_long": 1}


def test_samples_without_a_difference_get_the_bean_as_label() -> None:
    beans: Beans = {"a:b=c": {"ThisOne": 1}, "a:b=d": {"ThisOne": 2}}

    assert page("rules: [{pattern: this_one, attrNameSnakeCase: true, name: x}]", beans) == {
        "x[_objectname=a<b=c><>this_one]": 1,
        "x[_objectname=a<b=d><>this_one]": 2,
    }


CUSTOMIZED = """
metricCustomizers:
- mbeanFilter: {domain: app, properties: {type: Cache}}
  attributesAsLabels: [Version, Nothing, Missing]
  extraMetrics:
  - {name: extra, value: 010, description: says}
  - {name: flag, value: true}
  - {name: part, value: 2.5}
"""


def test_customizers_add_labels_and_values_also_when_answers_come_in_parts() -> None:
    report = view(CUSTOMIZED).report()
    for values in ({"HitCount": 7, "Nothing": None}, {"Version": "1.2"}):
        report.add(objectname.parse(BEAN), {}, values)
    report.add(objectname.parse("app:type=Other"), {}, {"V": 1})

    families = report.families()
    assert samples(families) == {
        "app_Cache_extra[Version=1.2][name=users]": 8,
        "app_Cache_flag[Version=1.2][name=users]": 1,
        "app_Cache_part[Version=1.2][name=users]": 2.5,
        "app_Cache_HitCount[Version=1.2][name=users]": 7,
        "app_Other_V": 1,
    }
    assert next(f.help for f in families if f.name == "app_Cache_extra").startswith("says app:name=users")


def test_only_what_is_wanted_is_read() -> None:
    text = """
    includeObjectNames: ["app:*", "java.lang:type=Memory"]
    excludeObjectNames: ["app:type=Bad,*"]
    includeObjectNameAttributes: {"app:type=Cache": [A], "java.lang:type=Memory": [B]}
    excludeObjectNameAttributes: {"app:type=Cache": [B]}
    """
    names = [
        "app:type=Cache",
        "app:type=Bad,x=y",
        "other:x=y",
        "java.lang:type=Memory",
        "java.lang:type=Runtime",
    ]
    infos = [AttributeInfo(name, "long", None) for name in "ABC"]

    def asked(standard: bool) -> dict[str, str]:
        made = view(text, standard=standard)
        found = made.wanted(names)
        assert made.wanted(names) == found
        return {name: "".join(info.name for info in made.readable(name, infos)) for name in found}

    assert asked(standard=False) == {"app:type=Cache": "A", "java.lang:type=Memory": "B"}
    assert asked(standard=True) == {
        "app:type=Cache": "A",
        "java.lang:type=Memory": "ABC",
        "java.lang:type=Runtime": "ABC",
    }
    report = fed(view(text, standard=True), {"java.lang:type=Memory": {"A": 1, "B": 2}, names[4]: {"A": 1}})
    assert samples(report.families()) == {"java_lang_Memory_B": 2}


def test_the_beans_of_the_jvm_are_left_out_unless_they_are_named() -> None:
    names = ["java.lang:type=Memory", "sun.management:x=y", "app:x=y"]

    assert view("excludeJvmMetrics: true").wanted(names) == ["app:x=y"]
    named = "{excludeJvmMetrics: true, includeObjectNames: ['java.lang:*']}"
    assert view(named).wanted(names) == ["java.lang:type=Memory"]


SNAKES = {
    "HitCount": "hit_count",
    "testTCPTest": "test_tcptest",
    "StartTime_$1": "start_time_$1",
    "_Test_Test": "_test_test",
    "": "",
}


@pytest.mark.parametrize(("name", "snake"), SNAKES.items())
def test_names_of_attributes_in_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake
