"""The constructs of the Java object stream: what follows each tag. Run by `decoder`.

Source: Java Object Serialization Specification, chapter 6.4.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import groupby
from struct import Struct
from typing import Any

from podmates_metrics.jmx.decoder import (
    DESCRIPTOR,
    END,
    ITEM,
    OPENED,
    VALUE,
    Construct,
    Decoder,
    Limits,
    Mark,
    Request,
    StreamAborted,
    StreamError,
    text,
)
from podmates_metrics.jmx.descriptors import HEAD, Descriptors, Known, number
from podmates_metrics.jmx.javavalues import (
    BLOCK_DATA,
    BOXES,
    ENUM,
    EXTERNALIZABLE,
    PRIMITIVES,
    SERIALIZABLE,
    WRITE_METHOD,
    JavaArray,
    JavaClass,
    JavaConstant,
    JavaObject,
    JavaType,
    Primitives,
)

_FIELD, _INT = Struct(">BH"), Struct(">i")
_PROXY_INTERFACES = 65_535  # the class file format knows no more


def object_decoder(limits: Limits) -> Decoder:
    """Return a decoder for the values of an object stream."""
    known = Descriptors()
    constructs = {**_CONSTRUCTS, 0x72: lambda decoder: _descriptor(decoder, known)}
    return Decoder(limits, constructs, {0x72: known.described, 0x73: number})


def _object(decoder: Decoder) -> Construct:
    kind = yield DESCRIPTOR
    if kind is None or kind.flags & ENUM:
        raise StreamError("object without a class")
    if kind.box:
        return decoder.remember(kind.box.values((yield kind.box.layout.size))[0])
    made = JavaObject(kind)
    decoder.remember(made)
    for part in kind.lineage:
        flags = part.flags
        if flags & SERIALIZABLE:
            for piece in part.pieces:
                if isinstance(piece, str):
                    made.fields[piece] = yield VALUE
                else:
                    values = piece.values((yield piece.layout.size))
                    made.fields.update(zip(piece.names, values, strict=True))
        elif flags & EXTERNALIZABLE and not flags & BLOCK_DATA:
            raise StreamError(f"{part.name[:200]} is written in a form that cannot be skipped")
        if (flags & SERIALIZABLE and flags & WRITE_METHOD) or flags & EXTERNALIZABLE:
            made.written[part.name] = written = []
            while (item := (yield ITEM)) is not END:
                written.append(item)
    return made


def _array(decoder: Decoder) -> Construct:
    kind = yield DESCRIPTOR
    if kind is None or kind.name[:1] != "[" or len(kind.name) < 2:
        raise StreamError("array without an array class")
    made = JavaArray(kind)
    decoder.remember(made)
    count = _INT.unpack((yield 4))[0]
    code = kind.name[1]
    if code in PRIMITIVES:
        if not 0 <= count * PRIMITIVES[code][0] <= decoder.limits.size:
            raise StreamError(f"array of {count} elements")
        made.raw = yield count * PRIMITIVES[code][0]
        return made
    decoder.count_elements(count)
    for _ in range(count):
        made.elements.append((yield VALUE))
    return made


def _constant(decoder: Decoder) -> Construct:
    if (yield DESCRIPTOR) is None:
        raise StreamError("constant without an enum")
    place = len(decoder.handles)
    decoder.remember(OPENED)
    name = yield VALUE
    if not isinstance(name, str):
        raise StreamError("constant without a name")
    decoder.handles[place] = made = JavaConstant(name)
    return made


def _type(decoder: Decoder) -> Construct:
    return decoder.remember(JavaType((yield DESCRIPTOR)))


def _descriptor(decoder: Decoder, known: Descriptors) -> Construct:
    length = int.from_bytes((yield 2))
    head = yield length + HEAD.size
    name = text(head[:length])
    identity, flags, count = HEAD.unpack_from(head, length)
    made = JavaClass(name, identity, flags)
    decoder.remember(made)
    if count > decoder.limits.fields:
        raise StreamError(f"class of {count} fields")
    mark, first = decoder.mark(), len(decoder.handles)
    made.pieces = _arrange((yield from _fields(count)))
    while (yield ITEM) is not END:  # the code base, which nobody follows
        pass
    body, signatures = decoder.since(mark), decoder.handles[first:]
    yield from _finish(decoder, made)
    if body is not None:
        known.learn(head, Known(body, signatures, made))
    return made


def _fields(count: int) -> Generator[Request, Any, list[tuple[str, str]]]:
    """Read the fields that a descriptor declares: type code, with `L` for every object, and name."""
    declared: list[tuple[str, str]] = []
    for _ in range(count):
        first, length = _FIELD.unpack((yield 3))
        code, field = chr(first), text((yield length))
        if code in "L[":
            yield VALUE  # the type of the field, which nobody asks for
            code = "L"
        elif code not in PRIMITIVES:
            raise StreamError(f"field of type {code!r}")
        declared.append((code, field))
    return declared


def _arrange(declared: list[tuple[str, str]]) -> list[Primitives | str]:
    pieces: list[Primitives | str] = []
    for objects, run in groupby(declared, key=lambda entry: entry[0] == "L"):
        rows = list(run)
        if objects:
            pieces += [field for _, field in rows]
        else:
            codes = "".join(code for code, _ in rows)
            layout = Struct(">" + "".join(PRIMITIVES[code][1] for code in codes))
            pieces.append(Primitives(layout, tuple(field for _, field in rows), codes))
    return pieces


def _proxy(decoder: Decoder) -> Construct:
    made = decoder.remember(JavaClass("$Proxy", flags=SERIALIZABLE))
    count = _INT.unpack((yield 4))[0]
    if not 0 <= count <= _PROXY_INTERFACES:
        raise StreamError(f"proxy of {count} interfaces")
    for _ in range(count):
        yield int.from_bytes((yield 2))
    while (yield ITEM) is not END:
        pass
    return (yield from _finish(decoder, made))


def _finish(decoder: Decoder, made: JavaClass) -> Construct:
    """Read what ends every descriptor, the super class; from here on the class may be referred to."""
    above = yield DESCRIPTOR
    lineage = (*(above.lineage if above else ()), made)
    if len(lineage) > decoder.limits.lineage:
        raise StreamError(f"class with more than {decoder.limits.lineage} ancestors")
    if made.name in BOXES:
        pieces = [piece for part in lineage for piece in part.pieces]
        if len(pieces) != 1 or isinstance(pieces[0], str) or len(pieces[0].names) != 1:
            raise StreamError(f"{made.name} that does not hold one number")
        made.box = pieces[0]
    made.lineage = lineage
    return made


def _aborted(decoder: Decoder) -> Construct:
    partial, decoder.handles = decoder.handles, []
    thrown = yield VALUE
    raise StreamAborted(thrown, [value for value in partial if not isinstance(value, Mark)])


def _reset(decoder: Decoder) -> Construct:
    decoder.handles = []
    return (yield VALUE)


_CONSTRUCTS = {
    0x73: _object,
    0x75: _array,
    0x76: _type,
    0x79: _reset,
    0x7B: _aborted,
    0x7D: _proxy,
    0x7E: _constant,
}
