"""A configuration file as read, with the line of every part: what a decoder needs to name a fault's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
_LONGEST = 4000  # characters of what is said of a fault: a value may be a megabyte
_END = 1000  # of these, of its end, where the reason is


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. *tag* is what YAML takes it for: ``str int float bool null``; *text* is as written."""

    text: str
    tag: str
    line: int  # from 1


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[Tree, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """Keys in file order; they are distinct."""

    entries: dict[str, Tree]
    lines: dict[str, int]  # of each key
    line: int


Tree = Scalar | Listing | Table


class Fault(Exception):
    """The file cannot be used; the text names line, key path and reason, and is one line to read at once."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST - _END]} ... {text[-_END:]}"
        super().__init__(text)


@dataclass(slots=True)
class Place:
    """Where in the file something stands: how a fault names it."""

    path: str
    line: int

    def fault(self, reason: str) -> Fault:
        """Return the error to raise."""
        where = f"line {self.line}: " + (f"{self.path}: " if self.path else "")
        return Fault(where + reason)


@dataclass(slots=True)
class Keys:
    """A table that is being decoded: every key must be taken, what is left over is unknown."""

    table: Table
    path: str
    kind: str  # how the fault for an unknown key calls this table
    taken: set[str] = field(default_factory=set)

    def place(self, key: str = "") -> Place:
        """Return the place of *key*, or of the table itself."""
        path = f"{self.path}.{key}" if self.path and key else self.path or key
        return Place(path, self.table.lines.get(key, self.table.line))

    def unnamed(self, key: str) -> Place:
        """Return the place of *key* without its name, which may be what nobody should read."""
        return Place(self.path, self.place(key).line)

    def get(self, key: str) -> Tree | None:
        """Return what stands at *key*; an empty value (null) counts as absent."""
        self.taken.add(key)
        found = self.table.entries.get(key)
        return None if isinstance(found, Scalar) and found.tag == "null" else found

    def scalar(self, key: str, parse: Callable[[Scalar], T], default: T) -> T:
        """Return the parsed value of *key*, or *default*; a ValueError of *parse* becomes a fault."""
        found = self.get(key)
        if found is None:
            return default
        if not isinstance(found, Scalar):
            raise self.place(key).fault("want a single value")
        try:
            return parse(found)
        except ValueError as error:
            raise self.place(key).fault(str(error)) from None

    def text(self, key: str, default: str = "") -> str:
        """Return the text of *key* as written, whatever type YAML takes it for."""
        return self.scalar(key, lambda s: s.text, default)

    def table_at(self, key: str, kind: str) -> Keys | None:
        """Return the table at *key*, or None when there is none."""
        found = self.get(key)
        if found is None:
            return None
        return keys(found, self.place(key), kind)

    def list_at(self, key: str) -> tuple[Tree, ...]:
        """Return the items at *key*, none when absent."""
        found = self.get(key)
        if found is None:
            return ()
        if not isinstance(found, Listing):
            raise self.place(key).fault("want a list")
        return found.items

    def texts_at(self, key: str) -> dict[str, str]:
        """Return a table of single values as texts."""
        inner = self.table_at(key, key)
        return {} if inner is None else {name: inner.text(name) for name in inner.table.entries}

    def finish(self) -> None:
        """Refuse a key that nobody asked for."""
        for key in self.table.entries:
            if key not in self.taken:
                raise self.place(key).fault(f"field {key} not found in type {self.kind}")


def keys(tree: Tree, place: Place, kind: str) -> Keys:
    """Return *tree* for decoding; it must be a table."""
    if not isinstance(tree, Table):
        raise place.fault("want a table of keys and values")
    return Keys(tree, place.path, kind)


def decimal(scalar: Scalar) -> float:
    """Return the number of a scalar that YAML takes for one."""
    if scalar.tag not in ("int", "float"):
        raise ValueError(f"cannot unmarshal !!{scalar.tag} `{scalar.text[:30]}` into float64")
    return _NUMBERS.get(scalar.text.lower()) or float(scalar.text.replace("_", ""))


def flag(scalar: Scalar) -> bool:
    """Return the truth value of a scalar that YAML takes for one."""
    if scalar.tag != "bool":
        raise ValueError(f"cannot unmarshal !!{scalar.tag} `{scalar.text[:30]}` into bool")
    return scalar.text.lower() in ("true", "yes", "on", "y")


def whole(scalar: Scalar) -> int:
    """Return the whole number of a scalar that YAML takes for one; never negative."""
    if scalar.tag != "int" or not scalar.text.isdigit():
        raise ValueError(f"cannot unmarshal !!{scalar.tag} `{scalar.text[:30]}` into uint32")
    return int(scalar.text)


def one_of(values: Mapping[str, T], fault: str) -> Callable[[Scalar], T]:
    """Return a parser of a closed set; *fault* has a ``{}`` for the text that is not in it."""

    def parse(scalar: Scalar) -> T:
        if scalar.text not in values:
            raise ValueError(fault.format(scalar.text[:80]))
        return values[scalar.text]

    return parse


_NUMBERS = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
