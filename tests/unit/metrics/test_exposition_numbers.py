"""Counters and gauges are written alike by C and by Python, whatever they are called and count."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.exposition import text
from podmates_metrics.golang import format_float
from podmates_metrics.statsd.store import Series, StoredFamily
from tests.support.fuzzing import often
from tests.unit.metrics.engines import TWINS, twin

TEXTS = st.text(alphabet='ab"\\\n,={}é𝄞', max_size=8)
LABELS = st.lists(st.tuples(st.sampled_from(["a", "b", "code"]), TEXTS), max_size=3).map(tuple)
VALUES = st.floats() | st.integers(-(10**7), 10**7).map(float) | st.floats(0, 1e-3)
Labels = tuple[tuple[str, str], ...]
Member = tuple[tuple[tuple[str, str], ...], float]  # labels and value
ODD = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    999999.0,
    1e6,
    -1e6,
    1e-4,
    9.9e-5,
    0.1,
    1e15,
    1e16,
    1e17,
    math.inf,
    -math.inf,
    math.nan,
]


def family(name: str, help: str, members: list[Member]) -> StoredFamily:
    """Return gauges of these labels and values."""
    made = StoredFamily(name, "gauge", help)
    for labels, value in members:
        cell = twin("compiled").Cell(1)
        cell.update(value, 1, False)
        made.series[labels] = Series(made, labels, cell, None)
    return made


@pytest.mark.skipif("compiled" not in TWINS, reason="there is no compiler: make setup needs gcc")
@settings(max_examples=often(200))
@given(st.lists(st.tuples(TEXTS, st.lists(st.tuples(LABELS, VALUES), min_size=1, max_size=4)), max_size=4))
def test_both_write_the_same(given: list[tuple[str, list[Member]]]) -> None:
    families = [family(f"m{number}", help, members) for number, (help, members) in enumerate(given)]

    for dialect in (text.PLAIN, text.Dialect(lambda *words: "|".join(words) + "\n")):
        pure, compiled = (
            list(text.stored(families, dialect, numbers))
            for numbers in (text.numbers, twin("compiled").numbers)
        )
        assert pure == compiled


@pytest.mark.skipif("compiled" not in TWINS, reason="there is no compiler: make setup needs gcc")
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_a_number_is_written_as_go_does(value: float) -> None:
    one = family("m", "", [((), value)])

    written = twin("compiled").numbers([(one, one.ordered(), False)])

    assert written == f"m {format_float(value)}\n"


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize("labels", [(), (("a", "b c "), ("route", '"x" 1'))])
def test_a_line_written_before_is_written_anew_when_its_value_is_another(which: str, labels: Labels) -> None:
    made, cell = StoredFamily("depth", "gauge", "Help."), twin(which).Cell(1)
    made.series[labels] = Series(made, labels, cell, None)
    write, seen = getattr(twin(which), "numbers", text.numbers), []

    for value in (2.0, 2.0, 0.5, -0.0, 0.0, math.nan, 1e6, 2.0):
        cell.update(value, 1, False)
        pages = {write([(made, made.ordered(), False)]) for _ in range(3)}
        seen += [page.rpartition(" ")[2] for page in pages]
        assert {page.rpartition(" ")[0] for page in pages} == {
            f"depth{{{text.label_text(labels)}}}".removesuffix("{}")
        }

    assert seen == ["2\n", "2\n", "0.5\n", "-0\n", "0\n", "NaN\n", "1e+06\n", "2\n"]


def test_pieces_are_of_a_thousand_series_however_they_are_divided() -> None:
    module = twin(TWINS[-1])
    store = [StoredFamily(f"m{number:04}", "gauge", "") for number in range(1500)]
    store.append(StoredFamily("n", "gauge", ""))
    for one in store:
        for number in range(2500 if one.name == "n" else 1):
            labels = (("n", str(number)),)
            one.series[labels] = Series(one, labels, module.Cell(1), None)

    pieces = list(text.merged(store, {}))

    assert max(piece.count("} 0\n") for piece in pieces) <= 2 * text.PIECE
    assert len(pieces) == 4
    assert "".join(pieces).count("# TYPE") == 1501
