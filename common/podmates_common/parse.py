"""Text to value: one function per type, each raising ValueError with a reason that a person can use."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

T = TypeVar("T")

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ns|us|µs|ms|s|m|h)")
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_SIZE = re.compile(r"([0-9]{1,15})(|k|M|G|Ki|Mi|Gi)B")


class Address(NamedTuple):
    """Where to listen or connect; an empty host means every interface."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def text(value: str) -> str:
    """Return *value* as it is."""
    return value


def duration(value: str) -> float:
    """Return seconds for ``250ms``, ``30s``, ``1h30m``; a number without a unit is refused."""
    if value == "0":
        return 0.0
    total, position = 0.0, 0
    while match := _DURATION.match(value, position):
        total += float(match[1]) * _SECONDS[match[2]]
        position = match.end()
    if not position or position != len(value):
        raise ValueError("want a number and a unit, such as 30s or 250ms")
    return total


def size(value: str) -> int:
    """Return bytes for ``512B``, ``10kB``, ``64MiB``; a number without a unit is refused."""
    match = _SIZE.fullmatch(value)
    if not match:
        raise ValueError("want a whole number and a unit, such as 64MiB or 10kB")
    return int(match[1]) * _BYTES[match[2]]


def boolean(value: str) -> bool:
    """Return the truth value; anything but true and false is refused, not guessed."""
    try:
        return {"true": True, "false": False}[value.lower()]
    except KeyError:
        raise ValueError("want true or false") from None


def integer(minimum: int | None = None, maximum: int | None = None) -> Callable[[str], int]:
    """Return a parser of whole decimal numbers from *minimum* to *maximum*, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise ValueError("want a whole number")
        number = int(value)
        if minimum is not None and number < minimum:
            raise ValueError(f"want at least {minimum}")
        if maximum is not None and number > maximum:
            raise ValueError(f"want at most {maximum}")
        return number

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """Return a parser that accepts exactly *allowed*."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"want one of {', '.join(allowed)}")
        return value

    return parse


def address(value: str) -> Address:
    """Return host and port for ``host:port``, ``[v6]:port`` or ``:port``."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]:\s/@]*)):([0-9]{1,5})", value)
    if not match or int(match[3]) > 65535:
        raise ValueError("want host:port, such as localhost:6379, [::1]:6379 or :6379")
    host = match[1] or match[2] or ""
    check_host(host)
    return Address(host, int(match[3]))


def check_host(host: str) -> None:
    """Raise ValueError for what no look-up takes: it would say so later, in a trace of its own.

    By hand, since the codec that a look-up uses cannot be loaded everywhere in Python 3.13.0.
    """
    try:
        plain = host if host.isascii() else host.encode("idna").decode()
        sound = not plain or all(0 < len(part) < 64 for part in plain.removesuffix(".").split("."))
    except UnicodeError:
        sound = False
    if not sound:
        raise ValueError("want a host whose parts have 1 to 63 characters")


def listing(item: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a parser of comma-separated *item*s; an empty text is an empty list."""

    def parse(value: str) -> tuple[T, ...]:
        return tuple(item(part.strip()) for part in value.split(",") if part.strip())

    return parse
