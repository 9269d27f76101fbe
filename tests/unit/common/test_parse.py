"""Text becomes a value or a reason; nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from podmates_common.parse import Address, address, boolean, choice, duration, integer, listing, size

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
