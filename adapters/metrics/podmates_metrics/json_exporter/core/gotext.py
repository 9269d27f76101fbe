"""Values of a document as the original prints them: Go's ``%v`` for single ones, Go's JSON for the others."""

from __future__ import annotations

import json
import re
from typing import Any

from podmates_metrics.golang import format_float

# Go escapes what could end a script in a page, and replaces what is no character.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_SINGLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|(?P<o>[0-7]{3})"
    r"|(?P<one>[abfnrtv\\'\"]))"
)


def show(value: Any) -> str:
    """Return *value* as a part of a rendered template.

    Raises:
        RecursionError: it is nested too deep.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_float(value)
    if isinstance(value, dict | list):
        return as_json(value)
    return "null" if value is None else str(value)


def as_json(value: Any) -> str:
    """Return compact JSON with sorted keys, in the spelling of Go's encoder."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        members = [f"{_string(key)}:{as_json(value[key])}" for key in sorted(value)]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join([as_json(item) for item in value]) + "]"
    return "null" if value is None else str(value)


def _string(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSAFE.sub(_replace, quoted) if _UNSAFE.search(quoted) else quoted


def _replace(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0], "\ufffd")


def _number(number: float) -> str:
    """Return a number as Go's JSON has it: an exponent only below 1e-6 and from 1e21 up."""
    text = repr(number).removesuffix(".0")
    if "e" not in text:
        return text
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
    mantissa, _, power = digits.partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = int(power)
    if exponent >= 21 or exponent < -6:
        return f"{sign}{mantissa}e{exponent:+d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{whole}{fraction}"
    return f"{sign}{whole}{fraction.ljust(exponent, '0')}"


def unquote(text: str) -> str:
    """Return what stands in a pair of equal quotes, Go's escapes replaced.

    Raises:
        ValueError: there is no such pair, or an escape is none.
    """
    quote = text[:1]
    if len(text) < 2 or quote != text[-1] or quote not in "\"'":
        raise ValueError("invalid syntax")
    inner = text[1:-1]
    if "\\" not in inner and quote not in inner:
        return inner
    out, at = [], 0
    while at < len(inner):
        if inner[at] == quote or inner[at] == "\n":
            raise ValueError("invalid syntax")
        if inner[at] != "\\":
            out.append(inner[at])
            at += 1
            continue
        found = _ESCAPE.match(inner, at)
        if not found:
            raise ValueError("invalid syntax")
        out.append(_escaped(found, quote))
        at = found.end()
    return "".join(out)


def _escaped(found: re.Match[str], quote: str) -> str:
    one = found["one"]
    if one:
        if one in "\"'" and one != quote:
            raise ValueError("invalid syntax")
        return _SINGLE.get(one, one)
    code = int(found["o"], 8) if found["o"] else int(found["x"] or found["u"] or found["U"], 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000 or (found["o"] and code > 255):
        raise ValueError("invalid syntax")
    return chr(code)
