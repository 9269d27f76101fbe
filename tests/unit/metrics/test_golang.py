"""Numbers and durations as Go reads and writes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podmates_metrics.golang import format_float, parse_duration, parse_float

WRITTEN = {
    0.0: "0", 1.0: "1", 0.1: "0.1", 999999.0: "999999", 1e6: "1e+06", 1234567.0: "1.234567e+06",
    123456789.0: "1.23456789e+08", 1.5e7: "1.5e+07", 1e21: "1e+21", 1e16: "1e+16", 1e-4: "0.0001",
    1e-5: "1e-05", 1.5e-7: "1.5e-07", -2.5e6: "-2.5e+06", 0.30000000000000004: "0.30000000000000004",
    math.inf: "+Inf", -math.inf: "-Inf", 1e100: "1e+100", 1000000.5: "1.0000005e+06",
}  # fmt: skip


@pytest.mark.parametrize(("number", "text"), WRITTEN.items(), ids=WRITTEN.values())
def test_numbers_are_written_as_go_writes_them(number: float, text: str) -> None:
    assert format_float(number) == text


@given(st.floats(allow_nan=False))
def test_every_number_reads_back_exactly(number: float) -> None:
    assert parse_float(format_float(number)) == number


def test_not_a_number_has_one_form_and_zero_two() -> None:
    assert format_float(-0.0) == "-0"
    assert format_float(math.nan) == "NaN"
    assert math.isnan(parse_float("nAn"))


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+nan", "1e400", "0x10", "1__0", "1_", "_1", "0b1", "1f", "٣", "0x1_p1"]
)
def test_what_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|range"):
        parse_float(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h30m", 5400),
        ("-1.5s", -1.5),
        ("300ms", 0.3),
        ("0", 0),
        ("1us", 1e-6),
        ("1µs", 1e-6),
        (".5s", 0.5),
        ("+2s", 2),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1", "1d", "s", "1s ", "-", "9999999999h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_duration(text)
