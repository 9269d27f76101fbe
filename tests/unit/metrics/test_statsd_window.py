"""Quantiles: exact while few, near when many, gone when the window has passed."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.statsd.window import EXACT, Window, fold, nearest_rank
from tests.unit.metrics.engines import TWINS, engine, samples


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=300), st.floats(0, 1))
def test_few_values_give_the_nearest_rank(values: list[float], quantile: float) -> None:
    found = nearest_rank([(value, 1) for value in values], [quantile])

    assert found == [sorted(values)[max(1, math.ceil(quantile * len(values))) - 1]]


@pytest.mark.parametrize("shape", ["uniform", "skewed", "narrow"])
def test_many_values_keep_their_ranks(shape: str) -> None:
    """The rank of each answer is off by less than the error that the defaults allow."""
    draw = random.Random(7)
    makers: dict[str, Callable[[], float]] = {
        "uniform": draw.random,
        "skewed": lambda: draw.paretovariate(1.1),
        "narrow": lambda: 1000 + draw.random(),
    }
    make = makers[shape]
    values = [make() for _ in range(60_000)]
    window = Window(1)
    for value in values:
        window.recent.append(value)
        if len(window.recent) >= EXACT:
            window.fold()
    values.sort()

    for (quantile, error), found in zip(
        [(0.5, 0.05), (0.9, 0.01), (0.99, 0.001)], window.quantiles([0.5, 0.9, 0.99]), strict=True
    ):
        rank = sum(value <= found for value in values) / len(values)
        assert abs(rank - quantile) <= error, (quantile, rank)


def test_memory_is_bounded_whatever_comes() -> None:
    points = [(float(n % 977), 1 + n % 3) for n in range(100_000)]

    folded = fold(points)

    assert len(folded) < 400
    assert sum(weight for _, weight in folded) == sum(weight for _, weight in points)
    assert folded[0][0] == 0
    assert folded[-1][0] == 976


def test_infinities_stay_apart() -> None:
    folded = fold([(math.inf, 1), (-math.inf, 1), *((float(n), 1) for n in range(1000))])

    assert folded[0] == (-math.inf, 1)
    assert folded[-1] == (math.inf, 1)
    assert all(math.isfinite(value) for value, _ in folded[1:-1])


@pytest.mark.parametrize("values", list(itertools.permutations([1.0, 2.0, 3.0, math.nan])), ids=str)
def test_what_is_no_number_has_no_rank_wherever_it_comes(values: tuple[float, ...]) -> None:
    assert nearest_rank([(value, 1) for value in values], [0.0, 0.5, 1.0]) == [1.0, 2.0, 3.0]


def test_slices_slide() -> None:
    window = Window(3)
    for value in (1.0, 2.0, 3.0):
        window.add(value, 1)
        assert window.quantiles([1.0]) == [value]
        window.turn()

    assert window.quantiles([0.0, 1.0]) == [2.0, 3.0], "the first slice has been dropped"
    window.turn()
    window.turn()
    assert math.isnan(window.quantiles([0.5])[0])


@pytest.mark.parametrize("which", TWINS)
def test_a_summary_forgets_its_window_and_keeps_its_totals(which: str) -> None:
    subject = engine(which, "defaults: {summary_options: {max_age: 10s, age_buckets: 2}}")
    subject.feed(b"\n".join(b"t:%d|h" % n for n in range(1, 101)), 0.0)
    subject.sweep(4.0)
    assert samples(subject) == {
        't{quantile="0.5"}': 50, 't{quantile="0.9"}': 90, 't{quantile="0.99"}': 99, "t_sum": 5050,
        "t_count": 100,
    }  # fmt: skip

    for now in (5.5, 11.0):
        subject.sweep(now)

    found = samples(subject)
    assert math.isnan(found['t{quantile="0.5"}'])
    assert (found["t_sum"], found["t_count"]) == (5050, 100)


@pytest.mark.parametrize("which", TWINS)
def test_a_busy_summary_folds_on_the_hot_path(which: str) -> None:
    subject = engine(which)

    subject.feed(b"\n".join(b"t:%d|h" % (n % 1000) for n in range(5000)), 0.0)

    found = samples(subject)
    assert found["t_count"] == 5000
    assert found['t{quantile="0.5"}'] == pytest.approx(500, abs=20)
