"""What a Java object stream becomes: names, fields and written data. No class is loaded, nothing runs.

Java's strings, numbers and booleans arrive as Python's; everything else as one of the types below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

Value = Any  # str, int, float, bool, None or one of the types of this module

WRITE_METHOD, SERIALIZABLE, EXTERNALIZABLE, BLOCK_DATA, ENUM = 1, 2, 4, 8, 16  # flags of a class descriptor

BOXES = frozenset(
    f"java.lang.{name}"
    for name in ("Boolean", "Byte", "Short", "Integer", "Long", "Float", "Double", "Character")
)


class JavaFloat(float):
    """A 32 bit float: its text has fewer digits than a double's."""

    __slots__ = ()


class JavaCharacter(str):
    """A ``char``: never a sample, unlike a string."""

    __slots__ = ()


class JavaConstant(str):
    """The name of a constant of an enum."""

    __slots__ = ()


class Block(bytes):
    """Primitive data that a class wrote by itself."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class Primitives:
    """Fields of one class that follow each other without objects in between: read by one `Struct`."""

    layout: Struct
    names: tuple[str, ...]
    codes: str  # one letter of the JVM's type signatures per name

    def values(self, data: bytes | bytearray, at: int = 0) -> list[Value]:
        """Return the values in *data* from offset *at*."""
        raws = self.layout.unpack_from(data, at)
        return [
            raw if code in _AS_UNPACKED else primitive(code, raw)
            for code, raw in zip(self.codes, raws, strict=True)
        ]


@dataclass(slots=True, eq=False)
class JavaClass:
    """A class descriptor. *lineage* is empty until the descriptor is complete."""

    name: str
    identity: int = 0  # serialVersionUID
    flags: int = 0
    pieces: list[Primitives | str] = field(default_factory=list)  # a str is the name of an object field
    lineage: tuple[JavaClass, ...] = ()  # topmost ancestor first, itself last
    box: Primitives | None = None  # of a complete `java.lang.Integer` or one of its kin: its only field


@dataclass(slots=True, eq=False)
class JavaObject:
    """An instance: its fields by name, and by class name what that class wrote by itself."""

    kind: JavaClass
    fields: dict[str, Value] = field(default_factory=dict)
    written: dict[str, list[Value]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{self.kind.name}>"  # a graph may be cyclic and huge


@dataclass(slots=True, eq=False)
class JavaArray:
    """An array of objects; an array of primitives keeps its bytes as they came."""

    kind: JavaClass
    elements: list[Value] = field(default_factory=list)
    raw: bytes = b""

    def numbers(self) -> tuple[int, ...]:
        """Return the elements of an array of integers of any width."""
        width, letter = PRIMITIVES[self.kind.name[1]]
        return Struct(f">{len(self.raw) // width}{letter}").unpack(self.raw)

    def __repr__(self) -> str:
        return f"<{self.kind.name}>"


@dataclass(slots=True, eq=False)
class JavaType:
    """A ``java.lang.Class`` object."""

    kind: JavaClass | None


PRIMITIVES = {  # letter of the JVM's signature: (bytes, letter of `struct`)
    "B": (1, "b"),
    "C": (2, "H"),
    "D": (8, "d"),
    "F": (4, "f"),
    "I": (4, "i"),
    "J": (8, "q"),
    "S": (2, "h"),
    "Z": (1, "?"),
}


_AS_UNPACKED = frozenset("BDIJSZ")


def primitive(code: str, raw: Any) -> Value:
    """Return what `struct` read for a field of type *code* as the value that we use."""
    if code == "F":
        return JavaFloat(raw)
    return JavaCharacter(chr(raw)) if code == "C" else raw


def kind_of(value: Value) -> str:
    """Return the Java class name of an object or an array; empty for everything else."""
    return value.kind.name if isinstance(value, JavaObject | JavaArray) else ""


def items(value: Value) -> list[Value]:
    """Return the elements of an array, a list or a set, in the order of the stream; else nothing."""
    if isinstance(value, JavaArray):
        return value.elements
    return [item for item in _own_data(value, _COLLECTIONS) if not isinstance(item, Block)]


def pairs(value: Value) -> list[tuple[Value, Value]]:
    """Return the entries of a map, in the order of the stream; of anything else nothing."""
    found = [item for item in _own_data(value, _MAPS) if not isinstance(item, Block)]
    return list(zip(found[::2], found[1::2], strict=False))


def _own_data(value: Value, names: frozenset[str]) -> Iterator[Value]:
    if isinstance(value, JavaObject):
        for name, written in value.written.items():
            if name in names:
                yield from written


_COLLECTIONS = frozenset(
    f"java.util.{name}" for name in ("ArrayList", "HashSet", "TreeSet", "LinkedList", "CollSer")
)
_MAPS = frozenset(f"java.util.{name}" for name in ("HashMap", "TreeMap", "Hashtable"))


def describe(thrown: Value, depth: int = 4) -> str:
    """Return the class and message of a Java exception and of its first causes, for a log line."""
    if not isinstance(thrown, JavaObject):
        return str(thrown)[:200]
    message = thrown.fields.get("detailMessage")
    text = thrown.kind.name[:200] + (f": {message[:200]}" if isinstance(message, str) else "")
    cause = thrown.fields.get("detail") or thrown.fields.get("cause")
    if depth and isinstance(cause, JavaObject) and cause is not thrown:
        return f"{text}, caused by {describe(cause, depth - 1)}"
    return text
