"""Values are read and printed as Go does it."""

from __future__ import annotations

import pytest

from podmates_gitsync.govalues import (
    boolean,
    duration,
    integer,
    number,
    quote,
    show_duration,
    show_number,
)

DURATIONS = {
    "0": 0.0,
    "10ms": 0.01,
    "1h2m3.5s": 3723.5,
    "-1.5h": -5400.0,
    "+2s": 2.0,
    ".5s": 0.5,
    "1.s": 1.0,
    "1us": 1e-6,
    "1µs": 1e-6,
    "7ns": 7e-9,
    "1s1s": 2.0,
}
NO_DURATIONS = {
    "": "invalid duration",
    "1": "missing unit",
    "s": "invalid duration",
    ".s": "invalid duration",
    "1x": "unknown unit",
    "1 s": "unknown unit",
    "-": "invalid duration",
    "1s2": "missing unit",
    "9999999h": "invalid duration",
}
INTEGERS = {"0": 0, "-5": -5, "+5": 5, "0x1F": 31, "0o17": 15, "017": 15, "0b11": 3, "1_000": 1000}
INTEGERS |= {"0x_1": 1, "-0x10": -16, "9223372036854775807": 2**63 - 1}
NO_INTEGERS = ["", "x", "08", "1.5", "_1", "1__0", "1_", " 1", "٣", "9223372036854775808", "0x", "1e3"]
SHOWN = {
    0.0: "0s",
    1e-9: "1ns",
    1.5e-6: "1.5µs",
    0.38624: "386.24ms",
    3.0: "3s",
    60.0: "1m0s",
    3605.0: "1h0m5s",
    3600.5: "1h0m0.5s",
    -2.0: "-2s",
}
NUMBERS = {0.0: "0", 1.0: "1", 1.5: "1.5", 100000.0: "100000", 1e6: "1e+06", 1234567.0: "1.234567e+06"}
NUMBERS |= {0.0001: "0.0001", 1e-5: "1e-05", 0.1 + 0.2: "0.30000000000000004", float("inf"): "+Inf"}


@pytest.mark.parametrize(("text", "seconds"), DURATIONS.items(), ids=repr)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(("text", "reason"), NO_DURATIONS.items(), ids=repr)
def test_a_wrong_duration_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        duration(text)


@pytest.mark.parametrize(("text", "value"), INTEGERS.items(), ids=repr)
def test_an_integer_may_have_a_base(text: str, value: int) -> None:
    assert integer(text) == value


@pytest.mark.parametrize("text", NO_INTEGERS, ids=repr)
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"strconv\.ParseInt"):
        integer(text)


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True"])
def test_six_words_are_true(text: str) -> None:
    assert boolean(text) is True


@pytest.mark.parametrize("text", ["0", "f", "F", "false", "FALSE", "False"])
def test_six_words_are_false(text: str) -> None:
    assert boolean(text) is False


@pytest.mark.parametrize("text", ["", "yes", "no", "tRUE", "2"], ids=repr)
def test_other_words_are_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r"strconv\.ParseBool"):
        boolean(text)


def test_a_number_is_decimal() -> None:
    assert (number("1.5"), number("-.5"), number("1e3")) == (1.5, -0.5, 1000.0)
    with pytest.raises(ValueError, match=r"strconv\.ParseFloat"):
        number("nan")


@pytest.mark.parametrize(("seconds", "text"), SHOWN.items(), ids=repr)
def test_a_duration_is_shown_in_its_largest_units(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), NUMBERS.items(), ids=repr)
def test_a_whole_number_is_shown_without_a_fraction(value: float, text: str) -> None:
    assert show_number(value) == text


def test_a_quoted_text_shows_what_cannot_be_printed() -> None:
    assert quote('a"b\n') == '"a\\"b\\n"'
