"""``--git-config``: pairs ``key:value`` separated by commas, with git-sync's quoting, escapes and quirks.

Keys are checked as git checks them, because we write the file ourselves: a value never stands on a command
line, where every user of the machine could read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', ",": ",", "\\": "\\"}
_SECRET = re.compile(r"extraheader|passw|passphrase|smtppass|token|secret|cookie$", re.IGNORECASE)
_SECTION = re.compile(r"[A-Za-z0-9-]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
HIDDEN = "REDACTED"


class ConfigPairError(ValueError):
    """The text is not a list of pairs, or git would refuse a key; the text says where, and shows no value."""


class Pair(NamedTuple):
    """One setting of git; the key as it was written."""

    key: str
    value: str


def parse(text: str) -> list[Pair]:
    """Return the pairs of *text* in order; an empty text has none.

    Raises:
        ConfigPairError
    """
    return _Reading(text).pairs()


class _Reading:
    """The law of the grammar: the first character of a bare key or value is literal, whatever it is."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def pairs(self) -> list[Pair]:
        found = []
        while self._at < len(self._text):
            key = self._key()
            found.append(Pair(key, self._value()))
        return found

    def _key(self) -> str:
        if self._text[self._at] == '"':
            key = self._quoted()
            if not self._text.startswith(":", self._at):
                raise ConfigPairError(f"no colon after the quoted key at character {self._at + 1}")
            self._at += 1
            return key
        colon = self._text.find(":", self._at + 1)
        if colon < 0:
            raise ConfigPairError(f"key without a value at character {self._at + 1}")
        key, self._at = self._text[self._at : colon], colon + 1
        return key

    def _value(self) -> str:
        if self._at == len(self._text):
            raise ConfigPairError(f"key without a value before character {self._at + 1}")
        value = self._quoted() if self._text[self._at] == '"' else self._bare()
        if self._at < len(self._text) and self._text[self._at] != ",":
            raise ConfigPairError(f"text after the closing quote at character {self._at + 1}")
        self._at += 1
        return value

    def _bare(self) -> str:
        found = [self._text[self._at]]
        self._at += 1
        while self._at < len(self._text) and self._text[self._at] != ",":
            found.append(self._character())
        return "".join(found)

    def _quoted(self) -> str:
        opened = self._at
        self._at += 1
        found: list[str] = []
        while self._at < len(self._text):
            if self._text[self._at] == '"':
                self._at += 1
                return "".join(found)
            found.append(self._character())
        raise ConfigPairError(f"quote at character {opened + 1} is not closed")

    def _character(self) -> str:
        character = self._text[self._at]
        self._at += 1
        if character != "\\":
            return character
        letter = self._text[self._at : self._at + 1]
        if letter not in _ESCAPES or not letter:
            raise ConfigPairError(f"unknown escape at character {self._at}")
        self._at += 1
        return _ESCAPES[letter]


class Place(NamedTuple):
    """A key taken apart in git's way: section and name do not depend on case, a subsection does."""

    section: str
    subsection: str | None
    name: str


def place(key: str) -> Place:
    """Return where git keeps *key*.

    Raises:
        ConfigPairError: git has no such keys; the text is git's.
    """
    section, dot, name = key.rpartition(".")
    if not section:
        raise ConfigPairError(f"key does not contain a section: {key}")
    if not name:
        raise ConfigPairError(f"key does not contain variable name: {key}")
    section, dot, subsection = section.partition(".")
    if not _SECTION.fullmatch(section) or not _NAME.fullmatch(name):
        raise ConfigPairError(f"invalid key: {key}")
    if "\n" in subsection:
        raise ConfigPairError(f"invalid key (newline): {key}")
    return Place(section.lower(), subsection if dot else None, name.lower())


def merged(pairs: Iterable[tuple[str, str]]) -> dict[Place, str]:
    """Return what is left of *pairs*: a repeated key replaces every value before.

    Raises:
        ConfigPairError: git would refuse a key.
    """
    values: dict[Place, str] = {}
    hidden = False
    for key, value in pairs:
        try:
            values[place(key)] = value
        except ConfigPairError:
            if hidden:  # an unescaped comma makes a key of what is the rest of a secret
                raise ConfigPairError(
                    "invalid key after a value that is a secret, or contains commas"
                ) from None
            raise
        hidden = hidden or shown(key, value) == HIDDEN
    return values


def shown(key: str, value: str) -> str:
    """Return *value* for a log; what may be a secret is not shown."""
    helper = key.lower().startswith("credential.") and value.startswith("!")
    return HIDDEN if helper or _SECRET.search(key) else value


def shown_text(text: str) -> str:
    """Return the text of a flag for a log, its values masked like `shown` does."""
    try:
        return ",".join(f"{key}:{shown(key, value)}" for key, value in parse(text))
    except ConfigPairError:
        return HIDDEN  # what cannot be read may be anything
