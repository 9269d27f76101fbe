"""Values as Go writes and reads them: git-sync's users have them in their manifests and dashboards."""

from __future__ import annotations

import json
import re

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}
_INTEGER = re.compile(r"([+-]?)(0[xX]|0[oO]|0[bB]|0(?=[0-9_]))?(_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)")
_BASES = {"0x": 16, "0o": 8, "0b": 2, "0": 8}
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9}
_NANOSECONDS |= {"m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_LARGEST = 2**63 - 1


def text(value: str) -> str:
    """Return *value* as it is."""
    return value


def boolean(value: str) -> bool:
    """Return the truth value of one of Go's twelve words for it."""
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise ValueError(f"strconv.ParseBool: parsing {quote(value)}: invalid syntax")


def integer(value: str) -> int:
    """Return a whole number; ``0x``, ``0o``, ``0b``, a leading 0 and ``_`` as in Go's source text."""
    match = _INTEGER.fullmatch(value)
    try:
        number = int(match[1] + match[3].replace("_", ""), _base(match)) if match else None
    except ValueError:
        number = None
    if match is None or number is None or (match[3].startswith("_") and not match[2]):
        raise ValueError(f"strconv.ParseInt: parsing {quote(value)}: invalid syntax")
    if not -_LARGEST - 1 <= number <= _LARGEST:
        raise ValueError(f"strconv.ParseInt: parsing {quote(value)}: value out of range")
    return number


def _base(match: re.Match[str]) -> int:
    return _BASES[match[2].lower()] if match[2] else 10


def number(value: str) -> float:
    """Return a decimal fraction."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", value):
        raise ValueError(f"strconv.ParseFloat: parsing {quote(value)}: invalid syntax")
    return float(value)


def duration(value: str) -> float:
    """Return seconds for a signed sequence of decimal numbers with units, such as ``1h2m3.5s`` or ``0``."""
    sign, rest = (value[0], value[1:]) if value[:1] in {"+", "-"} else ("", value)
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError(f"time: invalid duration {quote(value)}")
    total = 0
    while rest:
        match = _PART.match(rest)
        if match is None or not (match[1] or match[2]):
            raise ValueError(f"time: invalid duration {quote(value)}")
        total += _nanoseconds(match, value)
        rest = rest[match.end() :]
    if total > _LARGEST:
        raise ValueError(f"time: invalid duration {quote(value)}")
    return (-total if sign == "-" else total) / 10**9


def _nanoseconds(match: re.Match[str], whole: str) -> int:
    unit = _NANOSECONDS.get(match[3])
    if not match[3]:
        raise ValueError(f"time: missing unit in duration {quote(whole)}")
    if unit is None:
        raise ValueError(f"time: unknown unit {quote(match[3])} in duration {quote(whole)}")
    fraction = (match[2] or "")[:18]
    return int(match[1] or "0") * unit + int(int(fraction or "0") * unit // 10 ** len(fraction))


def quote(value: str) -> str:
    """Return *value* in double quotes, with what cannot be printed escaped."""
    return json.dumps(value, ensure_ascii=False)


def show_duration(seconds: float) -> str:
    """Return what Go prints for a duration: ``3s``, ``386.24ms``, ``1h0m5s``."""
    total = round(abs(seconds) * 10**9)
    sign = "-" if seconds < 0 and total else ""
    for unit in ("ns", "µs", "ms"):
        if total and total < _NANOSECONDS[unit] * 1000 and total < 10**9:
            return f"{sign}{_decimal(total, _NANOSECONDS[unit])}{unit}"
    minutes, rest = divmod(total, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{front}{_decimal(rest, 10**9)}s"


def _decimal(amount: int, unit: int) -> str:
    whole, part = divmod(amount, unit)
    digits = str(part).rjust(len(str(unit)) - 1, "0").rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def show_number(value: float) -> str:
    """Return a metric's value as Go's client prints it: ``1`` and not ``1.0``, ``1e+06``, ``+Inf``."""
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    if value != value:
        return "NaN"
    digits = next(n for n in range(17) if float(f"{value:.{n}e}") == value)
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    if -4 <= int(exponent) < 6:
        return f"{value:.{max(digits - int(exponent), 0)}f}"
    return f"{mantissa}e{exponent}"
