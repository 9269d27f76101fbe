"""Rule files in short, and what they make of something."""

from __future__ import annotations

from podmates_metrics.documents import parse
from podmates_metrics.exposition.text import given as text_of
from podmates_metrics.native.file import Native, decode
from podmates_metrics.native.policy import decode_policy
from podmates_metrics.native.rules import Origin, decode_rules
from podmates_metrics.records import Record
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.keeping import Kept
from podmates_metrics.rules.paths import Json
from podmates_metrics.sources.base import Family
from podmates_metrics.tree import Place, keys

PAGE = "sources: {app: {http: {url: 'http://localhost:1/status'}}}\n"
JVM = "sources: {app: {jmx: {target: 'localhost:9999'}}}\n"
EVENTS = "sources: {app: {statsd: {udp: ':1'}}}\n"


def native(text: str) -> Native:
    """Return the content of a file."""
    tree = parse(text)
    assert tree is not None
    return decode(tree)


def ruleset(text: str, *, expose: bool | None = None) -> Ruleset:
    """Return the rules for the source ``app`` of a file."""
    file = native(text)
    return file.policy.ruleset(file.rules, "app", expose=expose)


def lasting(text: str) -> Ruleset:
    """Return the rules of a file for a source of events ``app`` whose records may have any field."""
    tree = parse(text)
    assert tree is not None
    top = keys(tree, Place("", 1), "file")
    rules = decode_rules(top.list_at("rules"), {"app": Origin("log")})
    return decode_policy(top).ruleset(rules, "app")


def page(rules: str, document: Json) -> Applied:
    """Return what a JSON page gives; *rules* is a file without its sources."""
    applied = Applied(ruleset(PAGE + rules))
    applied.document(document)
    return applied


def events(rules: str, *fields: dict[str, str]) -> Kept:
    """Return what events at the time 0 give, the n-th at n seconds since 1970."""
    kept = Kept(lasting(rules))
    for number, each in enumerate(fields):
        kept.record(Record({"text": "line", **each}), 0.0, float(number))
    return kept


def lines(families: dict[str, Family] | list[Family]) -> list[str]:
    """Return the samples as the text format writes them."""
    listed = list(families.values()) if isinstance(families, dict) else families
    text = "".join(text_of(family) for family in listed)
    return [line for line in text.splitlines() if not line.startswith("#")]
