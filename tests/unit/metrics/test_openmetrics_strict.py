"""Whatever comes, the OpenMetrics page is one that a strict parser takes, with the series of the text format.

SOAK=1 plays TIMES as much.
"""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from podmates_common.health import Health
from podmates_metrics.exposition.negotiation import Format
from podmates_metrics.exposition.page import page
from podmates_metrics.formats.base import FormatProblem
from podmates_metrics.formats.reading import feed
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.sources.base import Family
from podmates_metrics.sources.gather import Gatherer
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.ruled import Ruled
from tests.support.fuzzing import often
from tests.unit.metrics.engines import engine
from tests.unit.metrics.native_rules import EVENTS, ruleset
from tests.unit.metrics.test_fuzzed_pages import PAGES, PROMETHEUS

RULES = """\
rules:
- {from: app, match: {metric: hist, type: histogram}, name: size, type: histogram, buckets: [0, 1],
   exemplar: {trace: '{t}'}}
- {from: app, match: {metric: low, type: histogram}, name: low, type: histogram, buckets: [-1, 1]}
- {from: app, match: {metric: counted}, name: hits_total, type: counter, value: '{value}',
   exemplar: {trace: '{t}'}}
- {from: app, match: {metric: mode}, name: mode, type: stateset, states: ['0', '1'], value: '{value}'}
- {from: app, match: {metric: about}, name: about_info, type: info, labels: {v: '{value}'}}
"""
NAMES = [
    "hist",
    "low",
    "counted",
    "mode",
    "about",
    "a",
    "a_total",
    "a_created",
    "a_sum_total",
    "b_count_total",
    "b",
]
VALUES = ["1", "-1", "0", "NaN", "+Inf", "-inf", "1e308", "-1e308", "+2", "0.5"]
LINES = st.builds(
    lambda name, value, kind, rest: f"{name}:{value}|{kind}{rest}",
    st.sampled_from(NAMES),
    st.sampled_from(VALUES) | st.floats().map(repr),
    st.sampled_from(["c", "g", "ms", "h", "s"]),
    st.sampled_from(["", "|@0.5", "|@-1", "|@1e-9", "|#t:abc", f"|#t:{'x' * 200}", '|#k:\\"}']),
)


def ruled() -> Engine:
    subject = engine()
    subject.use(Ruled(ruleset(EVENTS + RULES, expose=True), "app"))
    return subject


def strict(subject: Engine, others: dict[str, Family]) -> dict[str, str]:
    """Return the types of the page's families; it has the same series as the text format's."""
    stored = list(subject.store.families.values())
    told = b"".join(page(Format.OPENMETRICS, stored, others, {})).decode()
    plain = b"".join(page(Format.TEXT, stored, others, {})).decode()
    families = list(text_string_to_metric_families(told))  # type: ignore[no-untyped-call]
    assert names(told) == names(plain)
    return {family.name: family.type for family in families}


class Passed:
    """A source that passes families on."""

    name, problem = "app", ""

    def __init__(self, families: list[Family]) -> None:
        self._families = families

    async def collect(self) -> list[Family]:
        return self._families

    async def close(self) -> None:
        return


def gathered(families: list[Family], subject: Engine) -> dict[str, Family]:
    """Return those of a source that go with StatsD's."""
    gatherer = Gatherer([Passed(families)], Health(), critical=False)
    return asyncio.run(gatherer.collect(60, subject.store.families))


def names(text: str) -> list[str]:
    lines = [line.partition(" # ")[0] for line in text.split("\n") if line and line[0] != "#"]
    return sorted(line.rpartition(" ")[0] for line in lines if " # " not in line)


@settings(max_examples=often(200))
@given(st.lists(LINES, max_size=12))
def test_any_statsd_lines_make_a_page_for_strict_readers(lines: list[str]) -> None:
    subject = ruled()
    subject.feed("\n".join(lines).encode(), 0.0)
    subject.sweep(0.0, 0.0)

    strict(subject, {})


@settings(max_examples=often(200))
@given(st.lists(LINES, max_size=4), PAGES)
def test_any_page_that_is_passed_on_stays_one_for_strict_readers(lines: list[str], passed: str) -> None:
    subject = ruled()
    subject.feed("\n".join(lines).encode(), 0.0)
    applied = Applied(Ruleset([], "app", expose=True))
    with contextlib.suppress(FormatProblem):
        feed(passed.encode(), PROMETHEUS, applied)
    strict(subject, gathered(list(applied.families.values()), subject))


@pytest.mark.parametrize(
    ("lines", "types"),
    [
        ("hits_total:NaN|c", {"hits_total": "unknown"}),
        ("a:-1|h", {"a": "unknown", "a_sum": "unknown", "a_count": "unknown"}),
        ("a:-1|h\na:5|h", {"a": "unknown", "a_sum": "unknown", "a_count": "unknown"}),
        ("a:1|h", {"a": "summary"}),
        ("hist:-1|h", {"size_bucket": "unknown", "size_sum": "unknown", "size_count": "unknown"}),
        ("hist:1|h", {"size": "histogram"}),
        ("low:3|h", {"low_bucket": "unknown", "low_sum": "unknown", "low_count": "unknown"}),
        (
            "a:1|h\na_created:1|g",
            {"a": "unknown", "a_sum": "unknown", "a_count": "unknown", "a_created": "gauge"},
        ),
        ("b:1|h\nb_count_total:1|c", {"b": "summary", "b_count_total": "unknown"}),
        ("a_total:1|c\na_created_total:1|c", {"a_total": "unknown", "a_created": "counter"}),
    ],
)
def test_what_the_standard_has_no_place_for_loses_its_type_and_no_series(
    lines: str, types: dict[str, str]
) -> None:
    subject = ruled()
    subject.feed(lines.encode(), 0.0)
    subject.sweep(0.0)

    assert strict(subject, {}) == types
