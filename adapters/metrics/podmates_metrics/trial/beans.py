"""MBeans tried, from lines as jmx_exporter's rules see them: ``domain<key=value, …><keys>name: value``."""

from __future__ import annotations

import re
from collections.abc import Callable

from podmates_metrics.golang import parse_float
from podmates_metrics.jmx.objectname import ObjectName
from podmates_metrics.jmx.walk import Reading
from podmates_metrics.jmx_exporter.configuration import Configuration
from podmates_metrics.jmx_exporter.selection import Selection
from podmates_metrics.jmx_exporter.view import RuledView
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
    report = views(rules, rules.prefix, seen).report()
    report.applied.witness = witness
    bad = _feed(sample, report.take, seen.selection)
    return report.families(), bad


def foreign_beans(
    configuration: Configuration, sample: bytes, check: Callable[[], None]
) -> tuple[list[Family], list[str]]:
    """Return what a file of jmx_exporter makes of *sample*, and what was wrong; *check* is for each line."""
    report = RuledView(configuration, standard=False).report()

    def take(reading: Reading) -> None:
        check()
        report.take(reading)

    bad = _feed(sample, take, configuration.selection)
    return report.families(), bad


def _feed(sample: bytes, take: Callable[[Reading], None], selection: Selection) -> list[str]:
    """Give the readings that *selection* has to *take*; return what was wrong with lines."""
    bad = 0
    for line in sample.decode(errors="replace").split("\n"):
        found = _LINE.fullmatch(line.strip())
        if found:
            reading = _reading(found)
            bean = ObjectName(reading.domain, reading.properties)
            attribute = (*reading.keys, reading.attribute)[0]
            if selection.bean(bean) and selection.attributes(bean, [attribute]):
                take(reading)
        elif line.strip():
            bad += 1
    return [f"no bean: {bad} of the lines"] if bad else []


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
