"""The names of MBeans: ``domain:key=value,key="quoted value"``."""

from __future__ import annotations

import re
from typing import NamedTuple

# Possessive, because a name comes from the target: an unclosed quote must not cost exponential time.
_PROPERTY = re.compile(r'([^,=:*?]++)=("(?:[^\\"]++|\\.)*+"|[^,=:"]*+)')
_SPECIAL = re.compile(r'["\\*?]')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class ObjectName(NamedTuple):
    """A parsed name; the properties keep the order of registration, and their quotes."""

    domain: str
    properties: tuple[tuple[str, str], ...]

    @property
    def canonical(self) -> str:
        """The text that is equal for equal names."""
        return f"{self.domain}:{','.join(f'{key}={value}' for key, value in sorted(self.properties))}"

    def get(self, key: str) -> str | None:
        """Return the value of a property as written, or None."""
        return next((value for name, value in self.properties if name == key), None)


def parse(text: str) -> ObjectName:
    """Return the parts of a name that a server gave us; what cannot be understood is left out."""
    domain, _, rest = text.partition(":")
    properties: dict[str, str] = {}
    at = 0
    while match := _PROPERTY.match(rest, at):
        properties.setdefault(match[1], match[2])
        at = match.end() + (rest[match.end() : match.end() + 1] == ",")
    return ObjectName(domain, tuple(properties.items()))


def quote(value: str) -> str:
    """Return *value* as a quoted property value, as `ObjectName.quote` does."""
    return f'"{_SPECIAL.sub(lambda match: chr(92) + match[0], value)}"'.replace("\n", "\\n")


def unquote(value: str) -> str:
    """Return what a property value means: without its quotes and escapes if it has any."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], value[1:-1])
