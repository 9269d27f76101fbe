"""Parts of another exporter's histograms and summaries are passed on if they say which part they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from podmates_metrics.exposition.negotiation import Format
from podmates_metrics.exposition.page import page
from tests.unit.metrics.test_formats import passed

SUMMARY = "# TYPE t summary\n"
HISTOGRAM = "# TYPE t histogram\n"
WRONG: dict[str, str] = {
    "a summary without its label": SUMMARY + "t 1\n",
    "a summary with an empty one": SUMMARY + 't{quantile=""} 1\n',
    "a quantile that is no number": SUMMARY + 't{quantile="half"} 1\n',
    "a quantile that is not a number": SUMMARY + 't{quantile="NaN"} 1\n',
    "a quantile over 1": SUMMARY + 't{quantile="50"} 1\n',
    "a quantile below 0": SUMMARY + 't{quantile="-0.5"} 1\n',
    "a bucket without its label": HISTOGRAM + "t_bucket 1\n",
    "a bucket whose bound is no number": HISTOGRAM + 't_bucket{le="high"} 1\n',
    "a bucket whose bound is not a number": HISTOGRAM + 't_bucket{le="NaN"} 1\n',
    "a histogram that is a number": HISTOGRAM + "t 1\n",
}
RIGHT: dict[str, str] = {
    "quantiles": SUMMARY
    + 't{quantile="0"} 1\nt{quantile="0.99"} NaN\nt{quantile="1"} 3\nt_sum 1\nt_count 1\n',
    "a summary that has a bound": SUMMARY + 't{le="x",quantile="0.5"} 1\n',
    "buckets": HISTOGRAM + 't_bucket{le="0.5"} 1\nt_bucket{le="+Inf"} 1\nt_sum 1\nt_count 1\n',
    "a gauge with the labels": '# TYPE t gauge\nt{le="x",quantile="y"} 1\n',
    "no type at all": 't{quantile="y"} 1\nt_bucket 1\n',
}


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("name", WRONG)
def test_a_part_that_does_not_say_which_it_is_is_left_out_and_counted(name: str) -> None:
    shown, applied = passed(WRONG[name] + "other 1\n")

    assert lines("\n".join(shown)) == ["other 1"]
    assert applied.errors == {("", "wrong_part"): 1}


@pytest.mark.parametrize("name", RIGHT)
def test_whole_ones_are_passed_on(name: str) -> None:
    shown, applied = passed(RIGHT[name])

    assert lines("\n".join(shown)) == lines(RIGHT[name])
    assert not applied.errors


@pytest.mark.parametrize("name", [*WRONG, *RIGHT])
def test_whatever_is_passed_on_can_be_read_as_openmetrics(name: str) -> None:
    _, applied = passed({**WRONG, **RIGHT}[name])
    written = b"".join(page(Format.OPENMETRICS, [], applied.families, {})).decode()
    read: Callable[[str], Iterable[object]] = text_string_to_metric_families

    assert bool([*read(written)]) == bool(applied.families)
