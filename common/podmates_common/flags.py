"""The family's command line: long flags, ``--name value`` or ``--name=value``, every fault at once.

git-sync's and statsd_exporter's grammars live in the services that replace them; they read the same
declarations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Declared(Protocol):
    """What a grammar needs to know of a setting."""

    @property
    def name(self) -> str: ...
    @property
    def flag(self) -> str: ...
    @property
    def repeatable(self) -> bool: ...
    @property
    def switch(self) -> bool: ...


class Flags(NamedTuple):
    """A command line taken apart: field name → its texts in order, what was no flag, what was wrong."""

    values: dict[str, list[str]]
    positional: list[str]
    problems: tuple[str, ...] = ()


def family(rows: Sequence[Declared], argv: Sequence[str]) -> Flags:
    """Take *argv* apart by our own grammar; what is wrong with it is in the answer's *problems*."""
    known = {row.flag: row for row in rows if row.flag}
    values: dict[str, list[str]] = {}
    positional: list[str] = []
    problems: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            positional += rest
            break
        if not word.startswith("-") or word == "-":
            positional.append(word)
            continue
        flag, equals, text = word.partition("=")
        row = known.get(flag)
        if row is None:
            problems.append(f"{flag}: unknown flag")
            if not equals and rest and not rest[0].startswith("-"):
                rest.pop(0)  # most likely its value: one fault is one line
            continue
        if not equals:
            if row.switch:
                text = "true"
            elif rest and not rest[0].startswith("--"):
                text = rest.pop(0)
            else:
                problems.append(f"{flag}: wants a value")
                continue
        if row.name in values and not row.repeatable:
            problems.append(f"{flag}: given more than once")
            continue
        values.setdefault(row.name, []).append(text)
    return Flags(values, positional, tuple(problems))
