"""git-sync's command line: the grammar of Go's pflag over the declarations of our settings.

Long flags take two dashes. A switch takes a value only after ``=``; every other flag also takes the
next word, whatever it looks like. One fault ends the reading, as it does in the original.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol


class Declared(Protocol):
    """What this grammar needs to know of a setting."""

    @property
    def name(self) -> str: ...
    @property
    def flag(self) -> str: ...
    @property
    def shorthand(self) -> str: ...
    @property
    def switch(self) -> bool: ...
    @property
    def parse(self) -> Callable[[str], Any]: ...


class FlagError(ValueError):
    """The command line cannot be used; the text says which word is wrong."""


class Unspeakable(ValueError):
    """A value does not parse and may be secret: a message tells why, and does not quote it."""


class Parsed(NamedTuple):
    """A command line taken apart: field name → its texts in order, and what was no flag."""

    values: dict[str, list[str]]
    positional: list[str]


def parse(rows: Sequence[Declared], argv: Sequence[str]) -> Parsed:
    """Take *argv* apart; each text was accepted by its row's parser.

    Raises:
        FlagError: an unknown flag, a missing value, or one that does not parse; the first one found.
    """
    return _Reading(rows, argv).all()


class _Reading:
    def __init__(self, rows: Sequence[Declared], argv: Sequence[str]) -> None:
        self._long = {row.flag: row for row in rows if row.flag}
        self._short = {row.shorthand.lstrip("-"): row for row in rows if row.shorthand}
        self._rest = list(argv)
        self._found = Parsed({}, [])

    def all(self) -> Parsed:
        while self._rest:
            word = self._rest.pop(0)
            if word == "--":
                self._found.positional.extend(self._rest)
                break
            if word.startswith("--"):
                self._long_flag(word)
            elif word.startswith("-") and word != "-":
                self._short_flags(word)
            else:
                self._found.positional.append(word)
        return self._found

    def _long_flag(self, word: str) -> None:
        flag, equals, text = word.partition("=")
        if flag == "--" or flag.startswith("---"):
            raise FlagError(f"bad flag syntax: {word}")
        row = self._long.get(flag)
        if row is None:
            raise FlagError(f"unknown flag: {flag}")
        if equals:
            self._keep(row, text)
        elif row.switch:
            self._keep(row, "true")
        elif self._rest:
            self._keep(row, self._rest.pop(0))
        else:
            raise FlagError(f"flag needs an argument: {flag}")

    def _short_flags(self, word: str) -> None:
        """Read ``-v6``, ``-v=6``, ``-v 6`` and switches run together, such as ``-hv6``."""
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            row = self._short.get(letter)
            if row is None:
                raise FlagError(f"unknown shorthand flag: '{letter}' in {word}")
            if len(letters) > 1 and letters[0] == "=":
                self._keep(row, letters[1:])
                return
            if row.switch:
                self._keep(row, "true")
                continue
            if not letters and not self._rest:
                raise FlagError(f"flag needs an argument: '{letter}' in {word}")
            self._keep(row, letters or self._rest.pop(0))
            return

    def _keep(self, row: Declared, text: str) -> None:
        try:
            row.parse(text)
        except ValueError as error:
            name = f"{row.shorthand}, {row.flag}" if row.shorthand else row.flag
            quoted = "" if isinstance(error, Unspeakable) else f'"{text}" '
            raise FlagError(f'invalid argument {quoted}for "{name}" flag: {error}') from None
        self._found.values.setdefault(row.name, []).append(text)
