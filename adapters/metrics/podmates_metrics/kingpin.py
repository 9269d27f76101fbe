"""statsd_exporter's command line: kingpin's grammar over our declarations; the first fault ends it.

Long flags only, ``--flag=value`` or ``--flag value``; a boolean takes no value and is switched off by
``--no-flag``; nothing may be said twice, nothing may be left over. ``@file`` is replaced by its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol


class Declared(Protocol):
    """What the grammar needs to know of a setting."""

    @property
    def name(self) -> str: ...
    @property
    def flag(self) -> str: ...
    @property
    def repeatable(self) -> bool: ...
    @property
    def switch(self) -> bool: ...


class Flag(NamedTuple):
    """A flag of one verb, which is no setting."""

    name: str
    flag: str
    repeatable: bool = False
    switch: bool = False


class Usage(Exception):
    """The command line cannot be used; the text is kingpin's."""


class Words(NamedTuple):
    """A command line taken apart: field name → its texts in order; which of help and version was asked."""

    values: dict[str, list[str]]
    asked: str  # "", "--help", "--version"
    positional: tuple[str, ...] = ()  # what was no flag, where that is allowed


# What follows the dash of a word that is no flag: a number below zero, standard input.
_NUMBER = ("", *"0123456789.")
HELP = ("--help", "-h", "--help-long", "--help-man")


def expand(argv: Sequence[str], read: Callable[[str], str]) -> list[str]:
    """Return *argv* with every ``@file`` replaced by the lines that *read* gives for it."""
    words: list[str] = []
    for word in argv:
        if word.startswith("@") and len(word) > 1:
            lines = read(word[1:]).splitlines()
            words += [line for line in lines if line and not line.startswith("#")]
        else:
            words.append(word)
    return words


def parse(rows: Sequence[Declared], argv: Sequence[str], *, positional: bool = False) -> Words:
    """Take *argv* apart; words that are no flags are refused unless *positional*.

    Raises:
        Usage: the first thing that is wrong.
    """
    known = {row.flag: row for row in rows if row.flag}
    values: dict[str, list[str]] = {}
    asked, loose = "", []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        flag, equals, text = word.partition("=")
        if flag in HELP or flag == "--version":
            asked = asked or ("--version" if flag == "--version" else "--help")
            continue
        if positional and (word[:1] != "-" or word[1:2] in _NUMBER):
            loose.append(word)
            continue
        row, text = _flag(known, word, text)
        if not row.switch and not equals:
            if not rest or rest[0].startswith("--"):
                raise Usage(f"expected argument for flag '{flag}'")
            text = rest.pop(0)
        elif row.switch and equals:
            raise Usage(f"unexpected {word.partition('=')[2]}")
        if row.name in values and not row.repeatable:
            raise Usage(f"flag '{row.flag.removeprefix('--')}' cannot be repeated")
        values.setdefault(row.name, []).append(text)
    return Words(values, asked, tuple(loose))


def _flag(known: dict[str, Declared], word: str, text: str) -> tuple[Declared, str]:
    """Return the declaration that *word* names, and its text: true or false for a boolean."""
    flag = word.partition("=")[0]
    row = known.get(flag)
    if row is not None:
        return row, "true" if row.switch else text
    negated = known.get("--" + flag.removeprefix("--no-")) if flag.startswith("--no-") else None
    if negated is not None and negated.switch:
        return negated, "false"
    if word.startswith("--") and word != "--":
        raise Usage(f"unknown long flag '{flag}'")
    if word.startswith("-") and len(word) > 1 and word != "--":
        raise Usage(f"unknown short flag '{word[:2]}'")
    raise Usage(f"unexpected {word}")
