"""Classes and escapes of Java's regular expressions, as sets of characters. No I/O."""

from __future__ import annotations

import re

from podmates_metrics.jmx_exporter import charsets
from podmates_metrics.jmx_exporter.charsets import Ranges
from podmates_metrics.jmx_exporter.javareader import Reader

MAX_DEPTH = 20  # of classes within each other
_CODES = {"t": 9, "n": 10, "r": 13, "f": 12, "a": 7, "e": 27}
_NUMBERED = re.compile(
    r"0(?P<octal>[0-3][0-7]{2}|[0-7]{1,2})|x(?P<two>[0-9a-fA-F]{2})|x\{(?P<any>[0-9a-fA-F]{1,8})\}"
    r"|u(?P<four>[0-9a-fA-F]{4})"
)
_PROPERTY = re.compile(r"[pP](?:\{\^?([^{}]{1,60})\}|([A-Z]))")


def escape(reader: Reader) -> int | Ranges:
    """Return what the escape means whose backslash was read: a code point, or a set.

    Raises:
        ValueError: Java would refuse it, or it is not offered.
    """
    letter = reader.peek()
    if letter.lower() in charsets.ESCAPES:
        reader.skip(1)
        found = charsets.ESCAPES[letter.lower()]
        return charsets.complement(found) if letter.isupper() else found
    if letter in _CODES:
        reader.skip(1)
        return _CODES[letter]
    if letter in ("p", "P"):
        return _property(reader)
    if number := reader.match(_NUMBERED):
        reader.skip(len(number[0]))
        code = int(number["octal"], 8) if number["octal"] else int(number[number.lastgroup or 0], 16)
        if code > charsets.LAST:
            raise reader.fault("there is no such character")
        return code
    if letter == "c" and reader.at + 1 < len(reader.source):
        reader.skip(1)
        return ord(reader.next()) ^ 64
    if not letter or (letter.isascii() and letter.isalnum()):
        raise reader.fault(f"\\{letter} is not offered")
    return ord(reader.next())


def _property(reader: Reader) -> Ranges:
    found = reader.match(_PROPERTY)
    if not found:
        raise reader.fault("want \\p{name}")
    try:
        ranges = charsets.named(found[1] or found[2])
    except ValueError as error:
        raise reader.fault(str(error)) from None
    reader.skip(len(found[0]))
    negated = (found[0][0] == "P") != found[0].startswith(("p{^", "P{^"))
    return charsets.complement(ranges) if negated else ranges


def parse_class(reader: Reader, flags: frozenset[str], depth: int = 0) -> Ranges:
    """Return the set of a class whose ``[`` was read: union, ``&&`` and classes within.

    Raises:
        ValueError: it is malformed.
    """
    if depth > MAX_DEPTH:
        raise reader.fault("classes are nested too deep")
    negated = reader.take("^")
    operands: list[list[tuple[int, int]]] = [[]]
    empty = True
    while empty or not reader.starts("]"):
        if reader.ended:
            raise reader.fault("unclosed character class")
        if "x" in flags and reader.skip_comment():
            continue
        if reader.take("&&"):
            operands.append([])
        elif reader.take("["):
            operands[-1] += parse_class(reader, flags, depth + 1)
        else:
            operands[-1] += _part(reader, flags)
        empty = False
    reader.skip(1)
    sets = [charsets.union(operand) for operand in operands if operand]
    if not sets:
        raise reader.fault("an empty character class")
    found = sets[0]
    for other in sets[1:]:
        found = charsets.intersection(found, other)
    return charsets.complement(found) if negated else found


def _part(reader: Reader, flags: frozenset[str]) -> Ranges:
    """Return a character, a range or an escape of a class."""
    first = _atom(reader)
    if isinstance(first, int):
        low = high = first
        if reader.starts("-") and not reader.starts("-]") and not reader.starts("-["):
            reader.skip(1)
            last = _atom(reader)
            if not isinstance(last, int) or last < low:
                raise reader.fault("illegal range in a character class")
            high = last
        first = ((low, high),)
    return charsets.either_case(first) if "i" in flags else first


def _atom(reader: Reader) -> int | Ranges:
    if not reader.take("\\"):
        return ord(reader.next())
    quoted = reader.quoted()
    if quoted is None:
        return escape(reader)
    return charsets.union((ord(letter), ord(letter)) for letter in quoted)
