"""A native JVM source that reads chosen beans, and one whose series are finished as jmx_exporter does."""

from __future__ import annotations

import re

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.jmx.messages import AttributeInfo
from podmates_metrics.jmx.objectname import parse as bean
from podmates_metrics.native.file import Native, decode
from podmates_metrics.rules.finished import FinishedBeans, views
from podmates_metrics.tree import Fault
from podmates_metrics.trial.run import run

LINES = b"""
d<type=A, name=x><>Count: 1
d<type=A, name=y><>Count: 2
d<type=A, name=x><>Text: 7
d<type=A, name=x><>On: true
other<type=A><>Count: 3
"""


def native(keys: str, rules: str = "[]") -> Native:
    tree = parse(f'sources: {{jvm: {{jmx: {{target: "a:1", {keys}}}}}}}\nrules: {rules}')
    assert tree is not None
    return decode(tree)


def page(keys: str, rules: str = "[]") -> list[str]:
    tree = parse(f'sources: {{jvm: {{jmx: {{target: "a:1", {keys}}}}}}}\nrules: {rules}')
    return sorted(run(tree, LINES).series)


SELECTIONS = {
    "include: ['d:name=y,*']": ['d_A_Count{name="y"} 2'],
    "exclude: ['d:*']": ["other_A_Count 3"],
    "include_attributes: {'d:type=A,name=x': [Text]}": ['d_A_Text{name="x"} 7'],
    "exclude_attributes: {'d:name=x,type=A': [Count, Text, On]}, exclude: ['other:*']": [
        'd_A_Count{name="y"} 2'
    ],
}


@pytest.mark.parametrize("finish", ["", ", as_jmx_exporter: {}"])
@pytest.mark.parametrize(("keys", "wanted"), SELECTIONS.items(), ids=SELECTIONS)
def test_chosen_beans_and_attributes_alone_are_seen(keys: str, wanted: list[str], finish: str) -> None:
    assert page(keys + finish) == wanted


@pytest.mark.parametrize("finish", ["", ", as_jmx_exporter: {}"])
def test_only_what_is_wanted_is_read(finish: str) -> None:
    made = native("jvm_metrics: false, include: ['d:*'], exclude_attributes: {'d:a=b': [X]}" + finish)
    view = views(made.policy.ruleset(made.rules, "jvm", expose=True), "jvm", made.jvms[0].seen)
    infos = [AttributeInfo(name, "int", None) for name in ("X", "Y")]

    assert not view.standard
    assert view.wanted(["d:a=b", "e:a=b", "java.lang:type=Memory"]) == ["d:a=b"]
    assert [info.name for info in view.readable("d:a=b", infos)] == ["Y"]
    report = view.report()
    report.add(bean("e:a=b"), {}, {"X": 1})
    report.add(bean("d:a=b"), {}, {"X": 1, "Y": 2})
    assert [family.name for family in report.families()] == ["d_b_Y"]


def test_series_are_finished_as_jmx_exporter_does() -> None:
    rules = """
- {match: {domain: d, attribute: Count}, name: "a__{attribute}_total", type: counter, scale: 2}
- {match: {domain: d, attribute: On}, name: "on_{type}_info", scale: 5, labels: {gone: "{name}"}, help: Some.}
- {match: {attribute: Text}, name: text, value: "{value}d"}
- {match: {domain: other}, name: odd, value: "x"}
"""
    assert page("as_jmx_exporter: {lowercase_names: true}", rules) == [
        'a_count_total{_objectname="d<type=A, name=x><>Count"} 2',
        'a_count_total{_objectname="d<type=A, name=y><>Count"} 4',
        'on_a{gone="x"} 1',
        "text 7",
    ]


def test_what_a_rule_could_not_use_is_counted_and_no_later_rule_asked() -> None:
    rules = """
- {match: {attribute: Count}, name: a, value: "none"}
- {match: {attribute: On}, name: "{nothing}"}
- {match: {attribute: Text}, name: b, labels: {c: "{nothing}"}}
- {match: {attribute: "*"}, name: later}
"""
    made = native("as_jmx_exporter: {}", rules)
    view = views(made.policy.ruleset(made.rules, "jvm", expose=True), "jvm", made.jvms[0].seen)
    assert isinstance(view, FinishedBeans)
    report = view.current().report()
    report.add(bean("d:a=b"), {}, {"Count": 1, "On": True, "Text": 3, "Words": "no number"})

    assert report.families() == view.families() == []
    assert view.totals()["podmates_rule_errors_total"] == {
        ("jvm", "0", "not_a_number"): 1,
        ("jvm", "1", "missing_field"): 1,
        ("jvm", "2", "missing_field"): 1,
    }
    assert view.totals()["podmates_records_total"] == {("jvm",): 4}


FAULTS = {
    "{name: a, unit: ms}": "rules[0].unit: not for a source with as_jmx_exporter",
    "{name: a, limit: 5}": "rules[0].limit: not for a source with as_jmx_exporter",
    "{name: a, type: info}": "rules[0].type: a source with as_jmx_exporter makes no info",
}


@pytest.mark.parametrize(("rule", "reason"), FAULTS.items())
def test_what_jmx_exporter_has_not_is_refused(rule: str, reason: str) -> None:
    with pytest.raises(Fault, match=re.escape(reason)):
        native("as_jmx_exporter: {}", f"[{rule}]")


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("include: nothing", "sources.jvm.jmx.include: want a list"),
        ("exclude: [nothing]", "sources.jvm.jmx.exclude: want domain:key=value"),
        ("include_attributes: {'a:b=c': d}", "want a list of names of attributes"),
        ("as_jmx_exporter: {lower: true}", "as_jmx_exporter.lower: field lower not found"),
        ("as_jmx_exporter: true", "as_jmx_exporter: want a table"),
        ("'': ['d:*']", "field  not found in type source.jmx"),
        ("jvm_metrics: maybe", "jvm_metrics: cannot unmarshal"),
    ],
)
def test_a_selection_that_is_none_is_refused_with_its_place(keys: str, reason: str) -> None:
    with pytest.raises(Fault, match=re.escape(reason)):
        native(keys)
