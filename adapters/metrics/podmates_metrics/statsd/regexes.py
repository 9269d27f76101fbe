"""Regular expressions with the meaning of Go's RE2, on Python's engine.

What RE2 has not (look-around, back-references, possessive quantifiers) is refused, so that a file that
loads here loads there; what differs is translated: ``$`` is the very end, ``\\z``, ``\\Q…\\E``, and the
POSIX classes.
"""

from __future__ import annotations

import re

_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\\x00-\\x7F", "blank": "\\t ",
    "cntrl": "\\x00-\\x1F\\x7F",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_TOKEN = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|$)|\\(?P<escape>.)|\[:(?P<posix>\w+):\]|(?P<group>\(\?[^:)]{0,2})"
    r"|(?P<possessive>[*+?}]\+)|(?P<mark>[\[\]$])",
    re.DOTALL,
)
MAX_LENGTH = 10_000  # characters of a pattern


def translate(pattern: str) -> re.Pattern[str]:
    """Return *pattern* compiled, to be used with ``search``.

    Raises:
        ValueError: RE2 would refuse it, or it uses a part of RE2 that has no translation here.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError("expression too long")
    out, position, inside = [], 0, False
    for token in _TOKEN.finditer(pattern):
        out.append(pattern[position : token.start()])
        text, inside = _token(token, inside)
        out.append(text)
        position = token.end()
    try:
        return re.compile("".join([*out, pattern[position:]]), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _token(token: re.Match[str], inside: bool) -> tuple[str, bool]:
    """Return the translation, and whether what follows is inside a character class."""
    whole = token[0]
    match token.lastgroup:
        case "quoted":
            return re.escape(token["quoted"]), inside
        case "escape":
            return _escape(token["escape"], inside), inside
        case "posix" if inside and token["posix"] in _POSIX:
            return _POSIX[token["posix"]], inside
        case "group" if not inside:
            if whole[2:3] in ("=", "!", ">", "(") or whole[2:] in ("<=", "<!", "P=") or whole[2:3] == "#":
                raise ValueError(f"invalid or unsupported Perl syntax: `{whole}`")
            return (whole.replace("(?<", "(?P<") if whole.startswith("(?<") else whole), inside
        case "possessive" if not inside:
            raise ValueError(f"invalid nested repetition operator: `{whole}`")
        case "mark":
            if whole == "$":
                return ("$" if inside else r"\Z"), inside
            return (r"\[" if inside and whole == "[" else whole), whole == "["
    return whole, inside


def _escape(letter: str, inside: bool) -> str:
    if letter == "z":
        return r"\Z"
    if letter in "pPCX" or (letter == "Z") or (letter in "123456789" and not inside):
        raise ValueError(f"invalid escape sequence: `\\{letter}`")
    return "\\" + letter
