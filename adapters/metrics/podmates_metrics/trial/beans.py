"""MBeans tried, from lines as jmx_exporter's rules see them: ``domain<key=value, …><keys>name: value``."""

from __future__ import annotations

import re

from podmates_metrics.golang import parse_float
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.jmx_exporter.selection import Selection
from podmates_metrics.native.jvms import EVERYTHING, Seen
from podmates_metrics.rules.finished import views
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.sources.base import Family
from podmates_metrics.trial.witness import Witness

_LINE = re.compile(r"([^<>]*)<([^<>]*)><([^<>]*)>([^:]*): ?(.*)")


def beans(
    rules: Ruleset, sample: bytes, witness: Witness, seen: Seen = EVERYTHING
) -> tuple[list[Family], list[str]]:
    """Return what the rules make of *sample*, and what was wrong with lines, as lines for a person."""
    view = views(rules, rules.prefix, seen)
    report = view.report()
    report.applied.witness = witness
    bad = 0
    for line in sample.decode(errors="replace").splitlines():
        found = _LINE.fullmatch(line.strip())
        if found:
            reading = _reading(found)
            if _selected(reading, seen.selection):
                report.take(reading)
        elif line.strip():
            bad += 1
    return report.families(), [f"no bean: {bad} of the lines"] if bad else []


def _selected(reading: Reading, selection: Selection) -> bool:
    """Tell whether a reading comes from what the source reads."""
    bean, attribute = ObjectName(reading.domain, reading.properties), (*reading.keys, reading.attribute)[0]
    return selection.bean(bean) and bool(selection.attributes(bean, [attribute]))


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
