"""The few Java objects that a JMX client sends, as bytes of an object stream.

Every class is described anew each time: that is legal, needs no table of handles, and the texts are
short. Class descriptors carry one null, where RMI wants the code base.

Source: Java Object Serialization Specification, chapter 6; serialized forms of the Java SE API.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from podmates_metrics.jmx.javautf import encode
from podmates_metrics.jmx.javavalues import SERIALIZABLE, WRITE_METHOD

_SHORT, _INT, _LONG = Struct(">H"), Struct(">i"), Struct(">q")
NULL = b"\x70"
_END = b"\x78"


def utf(text: str) -> bytes:
    """Return *text* as `DataOutput.writeUTF` writes it; at most 65535 bytes."""
    data = encode(text)
    return _SHORT.pack(len(data)) + data


def string(text: str | None) -> bytes:
    """Return a `java.lang.String`, or null."""
    if text is None:
        return NULL
    data = encode(text)
    if len(data) > 0xFFFF:
        return b"\x7c" + _LONG.pack(len(data)) + data
    return b"\x74" + _SHORT.pack(len(data)) + data


def block(data: bytes) -> bytes:
    """Return up to 255 bytes of primitive data."""
    return b"\x77" + bytes((len(data),)) + data


def descriptor(name: str, identity: int, flags: int, fields: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return a class descriptor without a super class; *fields* are (name, type signature)."""
    parts = [b"\x72", utf(name), _LONG.pack(identity), bytes((flags,)), _SHORT.pack(len(fields))]
    for field, signature in fields:
        parts += [signature[:1].encode(), utf(field)]
        if signature[0] in "L[":
            parts.append(string(signature))
    return b"".join([*parts, NULL, _END, NULL])


_STRINGS = descriptor("[Ljava.lang.String;", -5921575005990323385, SERIALIZABLE)
_BYTES = descriptor("[B", -5984413125824719648, SERIALIZABLE)
_OBJECT_NAME = descriptor("javax.management.ObjectName", 1081892073854801359, SERIALIZABLE | WRITE_METHOD)


def strings(texts: Sequence[str]) -> bytes:
    """Return a `String[]`."""
    return b"\x75" + _STRINGS + _INT.pack(len(texts)) + b"".join(map(string, texts))


def byte_array(data: bytes) -> bytes:
    """Return a `byte[]`."""
    return b"\x75" + _BYTES + _INT.pack(len(data)) + data


def object_name(text: str | None) -> bytes:
    """Return a `javax.management.ObjectName`, or null."""
    return NULL if text is None else b"\x73" + _OBJECT_NAME + string(text) + _END


def instance(described: bytes, *fields: bytes) -> bytes:
    """Return an object of a class that writes nothing by itself."""
    return b"\x73" + described + b"".join(fields)


def array(described: bytes, *elements: bytes) -> bytes:
    """Return an array of objects."""
    return b"\x75" + described + _INT.pack(len(elements)) + b"".join(elements)
