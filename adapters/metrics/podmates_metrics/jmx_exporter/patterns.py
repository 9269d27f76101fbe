"""Patterns and templates of a rule: Java's `Matcher.matches` and `Matcher.replaceAll`. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from podmates_metrics.jmx_exporter.javaregex import DOT, translate
from podmates_metrics.regexes import Match, Regex, compiled

_MAX_SUBJECT = 65_536  # characters
_MAX_BACKTRACKED = 2048  # characters, for patterns that only a backtracking engine understands
Groups = tuple[str | None, ...]  # the whole text, then the captures; None for what took no part


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of a rule: it may begin and end anywhere in the text, and the first such match counts.

    Attributes:
        needs: what does not hold this text does not match.
        longest: how many characters a text may have; what is longer does not match.
        blind: of ``place: number`` it neither needs nor captures anything of the number.
    """

    engine: Regex
    backtracking: re.Pattern[str] | None  # that decides, when *engine* can only tell what does not match
    groups: int
    names: dict[str, int]
    needs: str
    blind: bool
    longest: int

    def match(self, subject: str) -> Groups | None:
        """Return the captures, or None when *subject* does not match."""
        if self.needs not in subject or len(subject) > self.longest:
            return None
        found: Match | re.Match[str] | None = self.engine.search(subject)
        if found and self.backtracking:
            found = self.backtracking.fullmatch(subject)
        return (subject, *found.groups()) if found else None


def compile_pattern(text: str) -> Pattern:
    """Return the pattern that *text* means to Java.

    Raises:
        ValueError: Java would refuse it, or it uses what is not offered.
    """
    found = translate(text)
    engine = compiled(f"^{DOT}*(?:{found.loose}){DOT}*$")
    backtracking = None
    if not found.linear:
        try:
            backtracking = re.compile(f"{DOT}*(?:{found.text}){DOT}*", re.ASCII)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not offered: {error}") from None
    longest = _MAX_BACKTRACKED if backtracking else _MAX_SUBJECT
    return Pattern(
        engine, backtracking, found.groups, found.names, needs=found.needs, blind=found.blind, longest=longest
    )


@dataclass(frozen=True, slots=True)
class Template:
    """Text with captures in it. *parts* are texts and numbers of groups."""

    parts: tuple[str | int, ...]

    def expand(self, groups: Groups) -> str:
        """Return the text with the captures filled in."""
        return "".join(part if isinstance(part, str) else groups[part] or "" for part in self.parts)


_PART = re.compile(
    r"\\(?P<plain>.)|\$(?P<number>\d+)|\$\{(?P<name>[a-zA-Z][a-zA-Z0-9]*)\}|(?P<wrong>[\\$])", re.S | re.A
)


def compile_template(text: str, pattern: Pattern | None) -> Template:
    """Return the template that *text* means: ``$1``, ``${name}``, and ``\\x`` for x itself.

    Raises:
        ValueError: it refers to a group that *pattern* has not.
    """
    groups, names = (pattern.groups, pattern.names) if pattern else (0, {})
    parts: list[str | int] = []
    at = 0
    for found in _PART.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        if wrong := found["wrong"]:
            raise ValueError(f"{wrong} without a group or a character behind it; for itself write \\{wrong}")
        if found["plain"]:
            parts.append(found["plain"])
        elif found["name"]:
            if found["name"] not in names:
                raise ValueError(f"the pattern has no group {found['name']}")
            parts.append(names[found["name"]])
        else:
            parts += _number(found["number"], groups)
    return Template(tuple(part for part in [*parts, text[at:]] if part != ""))


def _number(digits: str, groups: int) -> tuple[int, str]:
    """Return the group that *digits* begin with, as long as there is one of that number, and the rest."""
    number, taken = int(digits[0]), 1
    if number > groups:
        raise ValueError(f"the pattern has no group {number}")
    while taken < len(digits) and number * 10 + int(digits[taken]) <= groups:
        number = number * 10 + int(digits[taken])
        taken += 1
    return number, digits[taken:]
