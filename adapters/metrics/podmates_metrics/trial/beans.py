"""MBeans tried, from lines as jmx_exporter's rules see them: ``domain<key=value, …><keys>name: value``."""

from __future__ import annotations

import re

from podmates_metrics.golang import parse_float
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.rules.beans import RuledReport
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.ledger import Ledger
from podmates_metrics.sources.base import Family
from podmates_metrics.trial.witness import Witness

_LINE = re.compile(r"([^<>]*)<([^<>]*)><([^<>]*)>([^:]*): ?(.*)")


def beans(rules: Ruleset, sample: bytes, witness: Witness) -> tuple[list[Family], list[str]]:
    """Return what the rules make of *sample*, and what was wrong with lines, as lines for a person."""
    report = RuledReport(rules, Ledger(rules.prefix))
    report.applied.witness = witness
    bad = 0
    for line in sample.decode(errors="replace").splitlines():
        found = _LINE.fullmatch(line.strip())
        if found:
            report.take(_reading(found))
        elif line.strip():
            bad += 1
    return report.families(), [f"no bean: {bad} of the lines"] if bad else []


def _reading(found: re.Match[str]) -> Reading:
    domain, properties, keys, attribute, value = found.groups()
    pairs = [part.partition("=") for part in properties.split(", ") if part]
    named = tuple((name, text) for name, _, text in pairs)
    return Reading(domain, named, tuple(k for k in keys.split(", ") if k), attribute, None, _value(value))


def _value(text: str) -> float | bool | str:
    if text in ("true", "false"):
        return text == "true"
    try:
        return parse_float(text)
    except ValueError:
        return text
