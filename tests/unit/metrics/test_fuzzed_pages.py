"""Pages of other exporters, whole and damaged: what is passed on is read back the same, by others too.

SOAK=1 plays TIMES as much.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from podmates_metrics.exposition.text import given as text_of
from podmates_metrics.formats.base import Format, FormatProblem
from podmates_metrics.formats.reading import feed
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset
from tests.support.fuzzing import often

PROMETHEUS = Format("prometheus")
KINDS = st.sampled_from(["counter", "gauge", "summary", "histogram", "untyped", "", "x"])
NAMES = st.sampled_from(["a", "a_sum", "a_bucket", "a_count", "b:c", "_", "le", "Z9_total"])
LABELS = st.sampled_from(["le", "quantile", "a", "_b", "__name__", "A1"])
PLAIN = st.sampled_from(["1", "-0", "+Inf", "-inf", "NaN", "12345678901234567890"])
PLAIN |= st.floats(allow_nan=False).map(repr)
VALUES = PLAIN | st.sampled_from(["1e400", "0x1p-2", "1_0", "１"])
TIMES = st.sampled_from(["", " 0", " -1", " 1700000000500", "\t99999999999999999", " 1.5", "  7 "])
BLANKS = st.sampled_from(["", "", " ", "\t", " \t "])


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') + '"'


@st.composite
def sample(
    draw: st.DrawFn, labels: st.SearchStrategy[str] = LABELS, values: st.SearchStrategy[str] = VALUES
) -> str:
    """A line with blanks wherever they may be."""
    blank = draw(BLANKS)
    pairs = draw(st.lists(st.tuples(labels, st.text(max_size=8)), max_size=3, unique_by=lambda pair: pair[0]))
    told = f"{blank},{blank}".join(f"{name}{blank}={blank}{quoted(value)}" for name, value in pairs)
    comma = draw(st.sampled_from(["", ","]))
    braced = f"{{{blank}{told}{comma if told else ''}{blank}}}" if draw(st.booleans()) or pairs else ""
    return f"{draw(BLANKS)}{draw(NAMES)}{blank}{braced}{blank} {draw(values)}{draw(TIMES)}"


HEADS = st.builds("# TYPE {} {}".format, NAMES, KINDS)
HEADS |= st.builds("# HELP {} {}".format, NAMES, st.text(max_size=10))
PAGES = st.lists(sample() | HEADS | st.just("") | st.just("# x"), max_size=12).map("\n".join)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A page with some characters left out or put in."""
    page = list(draw(PAGES))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(page)))
        page[at : at + draw(st.integers(0, 3))] = draw(st.sampled_from([*'"\\{}=,# \n\r\t\x00é1e', "\u2028"]))
    return "".join(page)


def passed(page: bytes) -> tuple[str, Applied]:
    """Return what is passed on of *page*; nothing when it is none."""
    applied = Applied(Ruleset([], "app", expose=True))
    with contextlib.suppress(FormatProblem):
        feed(page, PROMETHEUS, applied)
    return "".join(text_of(family) for family in applied.families.values()), applied


def series(page: str) -> list[tuple[Any, ...]]:
    """Return what prometheus-client reads in *page*."""
    read = text_string_to_metric_families(page)
    # It takes -0 for the whole number 0: signs of zero are not told apart.
    return [
        (s.name, sorted(s.labels.items()), repr(s.value + 0.0), s.timestamp) for f in read for s in f.samples
    ]


@settings(max_examples=often(100))
@given(damaged().map(str.encode) | st.binary(max_size=60))
@example(b'a 1\na{__1name__="0"} 1')
def test_what_is_passed_on_is_passed_on_once_more_as_it_is(page: bytes) -> None:
    once, applied = passed(page)
    twice, again = passed(once.encode())

    assert twice == once
    assert not again.errors
    assert len(series(once)) == applied.records - sum(applied.errors.values())


# What Prometheus itself has no place for: its times are whole, and of 17 digits they are millions of years.
STRICTER = (" 1.5", "\t99999999999999999")


@settings(max_examples=often(100))
@given(st.lists(sample(st.sampled_from(["le", "a", "_b", "A1"]), PLAIN), max_size=8))
@example(['a{le="x\ry"} 1', 'a{le="\r"} 1\r', "a 1\r2"])
def test_lines_mean_what_they_mean_to_prometheus_client(lines: list[str]) -> None:
    for line in lines:
        page, applied = passed(line.encode())
        if applied.families:
            assert series(page) == [
                (name, [pair for pair in labels if pair[1]], value, time)
                for name, labels, value, time in series(line.rstrip("\r") + "\n")
            ]
        elif not line.endswith(STRICTER):
            with pytest.raises(ValueError, match=r"\w"):
                series(line + "\n")
