"""Sets of characters as sorted ranges of code points: what a class of a regular expression means. No I/O."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]  # sorted, apart from each other, both ends included
LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return *ranges*, in any order and overlapping, as one set."""
    made: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], high))
        else:
            made.append((low, high))
    return tuple(made)


def complement(ranges: Ranges) -> Ranges:
    """Return all characters that are not in *ranges*."""
    made, start = [], 0
    for low, high in ranges:
        if start < low:
            made.append((start, low - 1))
        start = high + 1
    return (*made, (start, LAST)) if start <= LAST else tuple(made)


def intersection(first: Ranges, second: Ranges) -> Ranges:
    """Return the characters that are in both."""
    return complement(union((*complement(first), *complement(second))))


def either_case(ranges: Ranges) -> Ranges:
    """Return *ranges* with the other case of every ASCII letter in it, which is what Java's ``i`` means."""
    upper, lower = ((65, 90),), ((97, 122),)
    raised = [(low + 32, high + 32) for low, high in intersection(ranges, upper)]
    lowered = [(low - 32, high - 32) for low, high in intersection(ranges, lower)]
    return union((*ranges, *raised, *lowered))


def holds(ranges: Ranges, code: int) -> bool:
    """Whether the character is in the set."""
    return any(low <= code <= high for low, high in ranges)


def of(text: str) -> Ranges:
    """Return the characters of *text* and of its ranges like ``a-z``; a ``-`` itself stands first."""
    made, rest = [], text
    while rest:
        if rest[1:2] == "-" and len(rest) > 2:
            made.append((ord(rest[0]), ord(rest[2])))
            rest = rest[3:]
        else:
            made.append((ord(rest[0]), ord(rest[0])))
            rest = rest[1:]
    return union(made)


LINE_ENDS = of("\n\r\x85\u2028\u2029")
DIGIT, WORD, SPACE = of("0-9"), of("a-zA-Z0-9_"), of(" \t-\r")
ESCAPES = {
    "d": DIGIT,
    "w": WORD,
    "s": SPACE,
    "h": of(" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"),
    "v": of("\n-\r\x85\u2028\u2029"),
}
POSIX = {
    "Lower": of("a-z"),
    "Upper": of("A-Z"),
    "ASCII": of("\0-\x7f"),
    "Alpha": of("a-zA-Z"),
    "Digit": DIGIT,
    "Alnum": of("a-zA-Z0-9"),
    "Punct": of("!-/:-@[-`{-~"),
    "Graph": of("!-~"),
    "Print": of(" -~"),
    "Blank": of(" \t"),
    "Cntrl": of("\0-\x1f\x7f"),
    "XDigit": of("0-9a-fA-F"),
    "Space": SPACE,
}
_CATEGORY = re.compile(r"(?:general_category=|gc=|Is)?([CLMNPSZ][a-z]?)")
_BY_NATURE: dict[str, Callable[[str], bool]] = {
    "IsAlphabetic": str.isalpha,
    "IsUppercase": str.isupper,
    "IsLowercase": str.islower,
    "IsWhite_Space": str.isspace,
    "javaLowerCase": str.islower,
    "javaUpperCase": str.isupper,
    "javaLetter": str.isalpha,
    "javaLetterOrDigit": str.isalnum,
    "javaWhitespace": str.isspace,
}


@lru_cache(maxsize=64)
def named(name: str) -> Ranges:
    r"""Return what ``\p{name}`` means: a POSIX class, a general category of Unicode, or a property.

    Raises:
        ValueError: it is none that is known here.
    """
    if name in POSIX:
        return POSIX[name]
    if name in _BY_NATURE:
        return _scan(_BY_NATURE[name])
    if category := _CATEGORY.fullmatch(name):
        return _scan(lambda letter: unicodedata.category(letter).startswith(category[1]))
    raise ValueError(f"\\p{{{name[:40]}}} is not offered")


def _scan(wanted: Callable[[str], bool]) -> Ranges:
    codes = (code for code in range(LAST + 1) if code not in _SURROGATES and wanted(chr(code)))
    made: list[list[int]] = []
    for code in codes:
        if made and code == made[-1][1] + 1:
            made[-1][1] = code
        else:
            made.append([code, code])
    if not made:
        raise ValueError("the class has no character")
    return tuple((low, high) for low, high in made)


def written(ranges: Ranges) -> str:
    """Return the set as a class that Python's `re` and RE2 read alike."""
    if not ranges:
        return "[^\\x00-\U0010ffff]"
    negated = ranges[0][0] == 0 and ranges[-1][1] == LAST
    shown = complement(ranges) if negated else ranges
    if not shown:
        return "[\\x00-\U0010ffff]"
    parts = "".join(f"{letter(a)}-{letter(b)}" if a < b else letter(a) for a, b in shown)
    return f"[^{parts}]" if negated else f"[{parts}]"


def letter(code: int) -> str:
    """Return one character, written so that it means itself inside and outside a class.

    Raises:
        ValueError: it is half a surrogate pair.
    """
    if code in _SURROGATES:
        raise ValueError("half a surrogate pair is no character")
    shown = chr(code)
    if code >= 0xA0:
        return shown
    if code < 32 or code > 126:
        return f"\\x{code:02x}"
    return shown if shown.isalnum() or shown in "_ <>=,:;'\"!%&@`/" else f"\\{shown}"
