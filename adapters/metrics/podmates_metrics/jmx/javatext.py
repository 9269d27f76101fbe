"""Java numbers and their texts, as `toString` gives them. No I/O."""

from __future__ import annotations

import math
from struct import Struct

from podmates_metrics.jmx.javavalues import JavaArray, JavaFloat, JavaObject, Value, kind_of
from podmates_metrics.jmx.messages import bean_name

_FLOAT = Struct(">f")
_MAGNITUDE = 256  # bytes; a longer number is more than a double can hold
_SCALE = 400  # decimal places; the same in the other direction
_VALUE_HOLDERS = frozenset(
    f"java.util.concurrent.atomic.{name}"
    for name in (
        "AtomicInteger",
        "AtomicLong",
        "LongAdder$SerializationProxy",
        "DoubleAdder$SerializationProxy",
        "LongAccumulator$SerializationProxy",
        "DoubleAccumulator$SerializationProxy",
    )
)


def number(value: Value) -> int | float | None:
    """Return an object that is a `java.lang.Number` as a number; None for all other objects."""
    if not isinstance(value, JavaObject):
        return None
    name, found = value.kind.name, value.fields.get("value")
    if name in _VALUE_HOLDERS and isinstance(found, int | float):
        return found
    if name == "java.math.BigInteger":
        return _big_integer(value)
    return _big_decimal(value) if name == "java.math.BigDecimal" else None


def _big_integer(value: JavaObject) -> int | None:
    magnitude, sign = value.fields.get("magnitude"), value.fields.get("signum")
    if isinstance(magnitude, JavaArray) and isinstance(sign, int) and len(magnitude.raw) <= _MAGNITUDE:
        return int.from_bytes(magnitude.raw) * sign
    return None


def _big_decimal(value: JavaObject) -> float | None:
    unscaled, scale = number(value.fields.get("intVal")), value.fields.get("scale")
    if not isinstance(unscaled, int) or not isinstance(scale, int) or abs(scale) > _SCALE:
        return None
    try:
        return unscaled / 10**scale if scale >= 0 else float(unscaled * 10**-scale)
    except OverflowError:
        return math.inf if unscaled > 0 else -math.inf


def as_double(value: float) -> float:
    """Return a number of any size as a double."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def text(value: Value) -> str:
    """Return the `toString` of a value; of an object whose class we do not know, its class name."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, JavaFloat):
        return float_text(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, int | str):
        return str(value)
    found = number(value)
    return (bean_name(value) or kind_of(value)) if found is None else text(found)


def double_text(value: float) -> str:
    """Return `Double.toString`: scientific below 1e-3 and from 1e7 on."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    sign = "-" if math.copysign(1, value) < 0 else ""
    if value == 0:
        return f"{sign}0.0"
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    leading = whole + fraction
    digits = leading.lstrip("0").rstrip("0")
    power = int(exponent or 0) + len(whole) - 1 - (len(leading) - len(leading.lstrip("0")))
    if not 1e-3 <= abs(value) < 1e7:
        return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    digits = digits.ljust(power + 1, "0")
    return f"{sign}{digits[: power + 1]}.{digits[power + 1 :] or '0'}"


def float_text(value: float) -> str:
    """Return `Float.toString`: the shortest digits that give the same 32 bits again."""
    if math.isfinite(value):
        for precision in range(1, 10):
            candidate = float(f"{value:.{precision}g}")
            if abs(candidate) < 3.4028236e38 and _FLOAT.unpack(_FLOAT.pack(candidate))[0] == value:
                return double_text(candidate)
    return double_text(value)
