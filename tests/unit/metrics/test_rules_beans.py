"""MBeans through native rules."""

from __future__ import annotations

from podmates_metrics.rules.beans import RuledBeans
from podmates_metrics.sources.base import Family
from podmates_metrics.trial.beans import beans
from podmates_metrics.trial.witness import Witness
from tests.unit.metrics.native_rules import JVM, lines, ruleset

SAMPLE = b"""\
Catalina<type=ThreadPool, name="http-8080"><>currentThreadCount: 10
Catalina<type=ThreadPool, name="http-8080"><>maxThreads: 200
java.lang<type=Memory><HeapMemoryUsage>used: 4096
Kafka<type=Broker><>State: RUNNING
Kafka<type=Broker><>Enabled: true
"""


def given(rules: str, sample: bytes = SAMPLE) -> list[Family]:
    families, problems = beans(ruleset(JVM + rules, expose=True), sample, Witness())
    assert problems == []
    return families


def test_rules_see_domain_properties_attribute_and_path() -> None:
    rules = """\
rules:
- match: {domain: Catalina, type: ThreadPool, name: '"{pool}"', attribute: currentThreadCount}
  name: tomcat_threads
  labels: {pool: "{pool}"}
- match: {domain: java.lang, attribute: HeapMemoryUsage, path: "{what}"}
  name: "heap_{what}_kb"
- match: {domain: Kafka, attribute: State}
  name: broker_state
  type: stateset
  states: [RUNNING, STOPPED]
defaults: {unmapped: drop}
"""
    assert lines(given(rules)) == [
        'tomcat_threads{pool="http-8080"} 10',
        "heap_used_bytes 4.194304e+06",
        'broker_state{broker_state="RUNNING"} 1',
        'broker_state{broker_state="STOPPED"} 0',
    ]


def test_what_no_rule_takes_has_its_default_name() -> None:
    rules = "rules: [{match: {attribute: maxThreads}, action: drop}, {match: {domain: Kafka}, name: kafka}]"

    assert lines(given(rules)) == [
        "kafka 1",
        'Catalina_ThreadPool_currentThreadCount{name="\\"http-8080\\""} 10',
        "java_lang_Memory_HeapMemoryUsage_used 4096",
    ]


def test_the_counts_of_all_scrapes_are_kept() -> None:
    view = RuledBeans(ruleset(JVM + "rules: [{match: {domain: d}, name: x}]", expose=True), "app")
    for _ in range(2):
        view.report().families()

    assert view.totals()["podmates_records_total"] == {("app",): 0}
    assert view.current() is view
    assert view.wanted(["a"]) == ["a"]


def test_a_line_that_is_no_bean_is_told() -> None:
    assert beans(ruleset(JVM, expose=True), b"what\n\nd<><>a: 1\n", Witness())[1] == [
        "no bean: 1 of the lines"
    ]
