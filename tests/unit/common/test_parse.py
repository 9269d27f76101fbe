"""Text becomes a value or a reason; nothing is guessed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_common.parse import Address, address, boolean, choice, duration, integer, listing, size
from tests.support.fuzzing import often

GOOD: dict[str, tuple[Callable[[str], Any], str, object]] = {
    "milliseconds": (duration, "250ms", 0.25),
    "seconds": (duration, "30s", 30.0),
    "several units": (duration, "1h2m3.5s", 3723.5),
    "zero needs no unit": (duration, "0", 0.0),
    "bytes": (size, "512B", 512),
    "binary": (size, "64MiB", 64 * 2**20),
    "decimal": (size, "10kB", 10_000),
    "true": (boolean, "True", True),
    "choice": (choice("a", "b"), "b", "b"),
    "host": (address, "localhost:6379", Address("localhost", 6379)),
    "v6": (address, "[::1]:6379", Address("::1", 6379)),
    "everywhere": (address, ":9125", Address("", 9125)),
    "host with a dot at the end": (address, "host.example.:1", Address("host.example.", 1)),
    "foreign host": (address, "b\u00fccher.example:1", Address("b\u00fccher.example", 1)),
    "list": (listing(integer()), "1, 2,,3", (1, 2, 3)),
    "empty list": (listing(integer()), "", ()),
    "negative": (integer(), "-5", -5),
}
BAD: dict[str, tuple[Callable[[str], Any], str]] = {
    "no unit": (duration, "10"),
    "unknown unit": (duration, "10d"),
    "rest behind": (duration, "10s5"),
    "empty duration": (duration, ""),
    "negative duration": (duration, "-1s"),
    "size without unit": (size, "64"),
    "size in words": (size, "64 MiB"),
    "typing error": (boolean, "ture"),
    "not a choice": (choice("a"), "b"),
    "no port": (address, "localhost"),
    "port too large": (address, "localhost:65536"),
    "v6 without brackets": (address, "::1:6379"),
    "address with password": (address, "user:pw@host:1"),
    "host with an empty part": (address, "a..b:1"),
    "host with a long part": (address, "h" * 64 + ":1"),
    "foreign host with a long part": (address, "\u00e9" * 60 + ":1"),
    "number with underscore": (integer(), "1_000"),
    "number in another script": (integer(), "١"),
    "too many digits": (integer(), "9" * 5000),
    "below": (integer(minimum=1), "0"),
    "above": (integer(maximum=9), "10"),
}


@pytest.mark.parametrize(("parse", "text", "value"), GOOD.values(), ids=GOOD.keys())
def test_good_text_becomes_its_value(parse: Callable[[str], Any], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(("parse", "text"), BAD.values(), ids=BAD.keys())
def test_bad_text_is_refused_with_a_reason(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError, match="want"):
        parse(text)


@pytest.mark.parametrize("address_text", ["localhost:1", "[::1]:1", ":1"])
def test_an_address_prints_as_it_was_written(address_text: str) -> None:
    assert str(address(address_text)) == address_text


ANYTHING = st.text(st.sampled_from([*"0159.:[]%/@ -_kMGiBmsnuµhé²\ud800\x00"]), max_size=12) | st.text(
    max_size=12
)
SECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}  # in milliseconds


@settings(max_examples=often(300))
@given(text=ANYTHING)
def test_any_text_is_a_value_or_has_a_reason_against_it(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert duration(text) >= 0
    with contextlib.suppress(ValueError):
        assert size(text) >= 0
    with contextlib.suppress(ValueError):
        assert str(integer()(text)).lstrip("-0") == text.lstrip("-0")
    with contextlib.suppress(ValueError):
        found = address(text)
        assert 0 <= found.port < 65536
        assert address(str(found)) == found


@settings(max_examples=often(100))
@given(
    parts=st.lists(st.tuples(st.integers(0, 9999), st.sampled_from(sorted(SECONDS))), min_size=1, max_size=4)
)
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    wanted = sum(count * SECONDS[unit] for count, unit in parts) / 1000

    assert duration("".join(f"{count}{unit}" for count, unit in parts)) == pytest.approx(wanted)
