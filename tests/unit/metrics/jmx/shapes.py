"""Object streams that a JDK wrote (data/Shapes.java), and a plain form of what we read from them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from podmates_metrics.jmx.decoder import PENDING, VALUE, Construct, Decoder, Limits
from podmates_metrics.jmx.grammar import object_decoder
from podmates_metrics.jmx.javavalues import Block, JavaArray, JavaClass, JavaObject, JavaType, Value

HEADER = 4  # bytes of magic and version


def _load() -> dict[str, bytes]:
    lines = (Path(__file__).parent / "data" / "shapes.txt").read_text().splitlines()
    rows = (line.rsplit(" ", 1) for line in lines)
    return {name: base64.b64decode(data)[HEADER:] for name, data in rows}


SHAPES = _load()


def one_value(_: Decoder) -> Construct:
    """Read a single value."""
    return (yield VALUE)


def decode(*pieces: bytes, limits: Limits | None = None) -> Value:
    """Return the value in *pieces*, fed one after the other, or `PENDING`."""
    decoder = object_decoder(limits or Limits())
    decoder.begin(one_value(decoder))
    value: Value = decoder.result()
    for piece in pieces:
        decoder.feed(piece)
        value = decoder.result()
        if value is not PENDING:
            break
    return value


def plain(value: Value, seen: tuple[int, ...] = ()) -> Any:
    """Return *value* as tuples and texts that compare; a cycle becomes ``...``."""
    if id(value) in seen:
        return "..."
    seen = (*seen, id(value))
    if isinstance(value, JavaArray):
        return value.kind.name, value.raw or [plain(item, seen) for item in value.elements]
    if isinstance(value, JavaObject):
        fields = {name: plain(item, seen) for name, item in value.fields.items()}
        written = {name: [plain(item, seen) for item in items] for name, items in value.written.items()}
        return value.kind.name, fields, written
    if isinstance(value, JavaType):
        return "type", value.kind.name if value.kind else None
    if isinstance(value, JavaClass):
        return "class", value.name
    return (type(value).__name__, bytes(value) if isinstance(value, Block) else value)
