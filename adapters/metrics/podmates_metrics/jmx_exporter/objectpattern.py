"""Patterns of MBean names, as `queryMBeans` understands them. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from podmates_metrics.jmx.objectname import ObjectName

_TOKEN = re.compile(r'\*(?=,|\Z)|(?P<key>[^,=:*?"]+)=(?P<value>"(?:[^\\"\n]|\\[\\"*?n])*+"|[^,=:"]*+)')
_ESCAPED, _PLAIN = re.compile(r"\\.|.", re.DOTALL), re.compile(".", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ObjectPattern:
    """What names are meant.

    Attributes:
        open: more properties may be there than those of the pattern.
    """

    domain: re.Pattern[str]
    properties: tuple[tuple[str, str | re.Pattern[str]], ...] = ()
    open: bool = False
    _keys: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keys", len(self.properties))

    def matches(self, name: ObjectName) -> bool:
        """Whether *name* is one of those."""
        if (not self.open and len(name.properties) != self._keys) or not self.domain.fullmatch(name.domain):
            return False
        found = dict(name.properties)
        return all(_fits(wanted, found.get(key)) for key, wanted in self.properties)


def _fits(wanted: str | re.Pattern[str], value: str | None) -> bool:
    if value is None:
        return False
    return wanted == value if isinstance(wanted, str) else bool(wanted.fullmatch(value))


def parse_pattern(text: str) -> ObjectPattern:
    """Return the pattern that *text* means; it may name a single bean.

    Raises:
        ValueError: it is no name of a bean.
    """
    domain, colon, rest = text.partition(":")
    if not colon:
        raise ValueError("want domain:key=value")
    if not rest:
        raise ValueError("key properties cannot be empty")
    properties: dict[str, str | re.Pattern[str]] = {}
    open, at = False, 0
    while at <= len(rest):
        found = _TOKEN.match(rest, at)
        if not found or (found.end() < len(rest) and rest[found.end()] != ","):
            raise ValueError(f"want key=value at {rest[at : at + 40]!r}")
        if found["key"] is None:
            if open:
                raise ValueError("* stands there twice")
            open = True
        elif found["key"] in properties:
            raise ValueError(f"key {found['key']!r} stands there twice")
        else:
            properties[found["key"]] = _value(found["value"])
        at = found.end() + 1
    return ObjectPattern(_glob(domain), tuple(properties.items()), open)


def _value(text: str) -> str | re.Pattern[str]:
    """Return a value as it must be, or a pattern if it has ``*`` or ``?`` that mean something."""
    return _glob(text) if any(part in ("*", "?") for part in _parts(text)) else text


def _parts(text: str) -> list[str]:
    """Return the characters of *text*; in a quoted one an escape and what it escapes are one."""
    return (_ESCAPED if text.startswith('"') else _PLAIN).findall(text)


def _glob(text: str) -> re.Pattern[str]:
    """Return the expression for ``*`` and ``?``; what stands between stars is taken where it first is."""
    pieces = [""]
    for part in _parts(text):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += "." if part == "?" else re.escape(part)
    first, *others = pieces
    between = "".join(f"(?>.*?{piece})" for piece in others[:-1] if piece)
    last = f".*{others[-1]}" if others else ""
    return re.compile(first + between + last, re.DOTALL)
