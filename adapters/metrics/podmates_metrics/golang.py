"""Numbers and durations as Go writes and reads them; the systems that we replace are written in Go."""

from __future__ import annotations

import math
import re

# strconv.ParseFloat: no blanks, no other scripts' digits, underscores between digits only.
_DECIMAL = re.compile(
    r"[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?", re.ASCII
)
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX]_?(?:[0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?|\.[0-9a-fA-F_]+)[pP][+-]?\d+", re.ASCII
)
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII)
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9}
_NANOSECONDS |= {"m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LONGEST = 2**63 - 1  # nanoseconds


def parse_float(text: str) -> float:
    """Return the number that Go's ``ParseFloat(text, 64)`` returns, or raise ValueError where it fails."""
    if _DECIMAL.fullmatch(text):
        number = float(text)
    elif _INFINITE.fullmatch(text):
        return -math.inf if text[0] == "-" else math.inf
    elif text.lower() == "nan":
        return math.nan
    elif _HEXADECIMAL.fullmatch(text):
        number = _from_hexadecimal(text)
    else:
        raise ValueError(f"{text!r} is not a number")
    if math.isinf(number):
        raise ValueError(f"{text!r} is out of range")
    return number


def _from_hexadecimal(text: str) -> float:
    if "__" in text or "_." in text or "._" in text or re.search(r"_[pP]", text):
        raise ValueError(f"{text!r} is not a number")
    try:
        return float.fromhex(text.replace("_", ""))
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


def format_float(number: float) -> str:
    """Return the shortest text that reads back as *number*, in the form of Go's ``%g``.

    An exponent stands from 10^6 up (Go: 21 digits apart from ``%g``'s six) and below 10^-4.
    """
    text = repr(number)
    if -1e6 < number < 1e6:  # here Python and Go agree
        return text[:-2] if text.endswith(".0") else text
    if number != number:
        return "NaN"
    size = abs(number)
    if size == math.inf:
        return "+Inf" if number > 0 else "-Inf"
    if size >= 1e16:  # as well as here
        return text[:-2] if text.endswith(".0") else text
    sign = "-" if number < 0 else ""
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0")
    point = "." if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}{digits[1:]}e+{len(whole) - 1:02d}"


def parse_duration(text: str) -> float:
    """Return the seconds of a Go duration: ``1h30m``, ``-1.5s``, ``300ms``, ``0``.

    Raises:
        ValueError: with the words of Go's ``time.ParseDuration``.
    """
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    total, position = 0.0, 0
    while match := _PART.match(rest, position):
        total += float(match[1]) * _NANOSECONDS[match[2]]
        position = match.end()
    if not rest or position != len(rest) or total > _LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return sign * total / 1e9
