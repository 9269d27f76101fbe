"""The value of an attribute, taken apart into single readings, as jmx_exporter does. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from podmates_metrics.jmx.javatext import number, text
from podmates_metrics.jmx.javavalues import Block, JavaCharacter, JavaObject, Value, items, kind_of, pairs
from podmates_metrics.jmx.objectname import ObjectName

Properties = tuple[tuple[str, str], ...]
_LONG = Struct(">q")
_COMPOSITE = "javax.management.openmbean.CompositeDataSupport"
_TABLE = "javax.management.openmbean.TabularDataSupport"
_LOOKS = 10  # entries of tables and composites for each reading that there may be
DEPTH = 32  # of tables and composites within each other


class Reading(NamedTuple):
    """One number, boolean or string, and the way to it."""

    domain: str
    properties: Properties  # of the name, then those that the rows of tables add
    keys: tuple[str, ...]  # attribute and items on the way
    attribute: str
    description: str | None
    value: int | float | bool | str

    @property
    def place(self) -> str:
        """What comes before the value in the string that rules look at."""
        properties = ", ".join(f"{key}={value}" for key, value in self.properties)
        return f"{self.domain}<{properties}><{', '.join(self.keys)}>{self.attribute}"


class TooMuch(Exception):
    """The values hold more readings than a target may have."""


class Walker:
    """Takes values apart, up to a budget of steps: a small reply can refer to itself again and again."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._looks = _LOOKS * budget  # at entries, which need not be readings

    def _look_at(self, count: int) -> None:
        self._looks -= count
        if self._looks < 0:
            raise TooMuch

    def attribute(
        self, bean: ObjectName, name: str, description: str | None, value: Value
    ) -> Iterator[Reading]:
        """Yield the readings in one attribute.

        Raises:
            TooMuch: the budget of all calls together is spent.
        """
        start = Reading(bean.domain, bean.properties, (), name, description, 0)
        return self._walk(start, value, DEPTH)

    def _walk(self, at: Reading, value: Value, depth: int) -> Iterator[Reading]:
        self.budget -= 1
        if self.budget < 0 or not depth:
            raise TooMuch
        if isinstance(value, int | float | str):
            if not isinstance(value, JavaCharacter):
                yield at._replace(value=value)
        elif kind_of(value) == _COMPOSITE:
            yield from self._composite(at, value, depth)
        elif kind_of(value) == _TABLE:
            yield from self._table(at, value, depth)
        elif (found := scalar(value)) is not None:
            yield at._replace(value=found)

    def _composite(self, at: Reading, value: JavaObject, depth: int) -> Iterator[Reading]:
        within = at._replace(
            keys=(*at.keys, at.attribute), description=_description(value.fields.get("compositeType"))
        )
        entries = pairs(value.fields.get("contents"))
        self._look_at(len(entries))
        for key, item in entries:
            if isinstance(key, str):
                yield from self._walk(within._replace(attribute=key), item, depth - 1)

    def _table(self, at: Reading, value: JavaObject, depth: int) -> Iterator[Reading]:
        kind = _fields(value.fields.get("tabularType"))
        row_type = _fields(kind.get("rowType"))
        index = [name for name in _unwrapped(kind.get("indexNames")) if isinstance(name, str)]
        names = [name for name, _ in pairs(row_type.get("nameToType")) if isinstance(name, str)]
        self._look_at(len(index) + len(names))
        known = frozenset(index)
        columns = sorted(name for name in names if name not in known)
        description = _description(kind.get("rowType"))
        within = at._replace(keys=(*at.keys, at.attribute), description=description)
        for _, row in pairs(value.fields.get("dataMap")):
            if kind_of(row) != _COMPOSITE:
                self._look_at(1)
                continue
            contents = pairs(row.fields.get("contents"))
            self._look_at(1 + len(contents) + len(index))
            cells = dict(contents)
            properties = self._indexed(at.properties, index, cells)
            for column in columns:
                if column.lower() == "value":
                    cell = at._replace(properties=properties, description=description)
                else:
                    cell = within._replace(properties=properties, attribute=column)
                yield from self._walk(cell, cells.get(column), depth - 1)

    def _indexed(self, properties: Properties, index: list[str], cells: dict[Value, Value]) -> Properties:
        """Return *properties* and the cells that identify a row; a name already there gets ``_`` appended."""
        found = dict(properties)
        for name in index:
            cell = cells.get(name)
            if cell is None:
                continue
            free = name
            while free in found:
                self._look_at(len(free))
                free += "_"
            if kind_of(cell) == _COMPOSITE:
                entries = pairs(cell.fields.get("contents"))
                self._look_at(len(entries))
                found |= {f"{free}_{key}": text(item) for key, item in entries}
                self.budget -= len(entries)
            else:
                found[free] = text(cell)
        return tuple(found.items())


def scalar(value: Value) -> int | float | None:
    """Return dates as seconds, other `Number` objects as numbers, and None for all the rest."""
    if not isinstance(value, JavaObject):
        return None
    written = value.written.get("java.util.Date")
    if written and isinstance(written[0], Block) and len(written[0]) == _LONG.size:
        return float(_LONG.unpack(written[0])[0] / 1000)
    return number(value)


def _fields(value: Value) -> dict[str, Value]:
    return value.fields if isinstance(value, JavaObject) else {}


def _description(composite_type: Value) -> str | None:
    found = _fields(composite_type).get("description")
    return found if isinstance(found, str) else None


def _unwrapped(value: Value) -> list[Value]:
    """Return the elements of a list that may be inside an unmodifiable one."""
    inner = _fields(value)
    return items(value) or items(inner.get("list")) or items(inner.get("c"))
