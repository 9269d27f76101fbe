"""The object stream of Java: all that a JDK writes is read, at every cut, and nothing hostile hurts."""

from __future__ import annotations

import contextlib
import struct
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.jmx.decoder import PENDING, Decoder, Limits, StreamAborted, StreamError
from podmates_metrics.jmx.grammar import object_decoder
from podmates_metrics.jmx.javavalues import (
    JavaArray,
    JavaCharacter,
    JavaConstant,
    JavaFloat,
    JavaObject,
    JavaType,
    describe,
    items,
    pairs,
)
from tests.support.fuzzing import often
from tests.unit.metrics.jmx.shapes import SHAPES, decode, one_value, plain

SIMPLE: dict[str, Any] = {
    "null": None,
    "integer": 5,
    "long": 2**63 - 1,
    "short": -12,
    "byte": -1,
    "double": 0.1,
    "float": JavaFloat(1.100000023841858),
    "boolean": True,
    "character": JavaCharacter("x"),
    "string": "text",
    "unicode": "é\0😀",
    "lone surrogate": "a\N{REPLACEMENT CHARACTER}",
    "constant": JavaConstant("SECONDS"),
}


@pytest.mark.parametrize(("shape", "value"), SIMPLE.items(), ids=SIMPLE.keys())
def test_simple_values_become_python_values(shape: str, value: object) -> None:
    found = decode(SHAPES[shape])

    assert found == value
    assert type(found) is type(value)


def test_objects_keep_the_fields_of_all_their_classes() -> None:
    child = decode(SHAPES["child"])

    assert child.kind.name == "Shapes$Child"
    assert [part.name for part in child.kind.lineage] == ["Shapes$Parent", "Shapes$Child"]
    numbers = child.fields.pop("numbers")
    assert numbers.numbers() == (1, -2, 3)
    assert child.fields == {
        "small": -3,
        "ratio": 0.25,
        "name": "parent",
        "big": -(2**63),
        "letter": "é",
        "on": True,
        "share": JavaFloat(1.100000023841858),
        "width": 12,
        "nothing": None,
    }


def test_collections_arrays_and_types() -> None:
    assert items(decode(SHAPES["list"])) == [1, "two", None]
    assert pairs(decode(SHAPES["map"])) == [("one", 1), ("two", 2)]
    assert decode(SHAPES["longs"]).numbers() == (1, -1, 2**63 - 1)
    assert items(decode(SHAPES["strings"])) == ["a", None, "a"]
    assert [items(inner) for inner in items(decode(SHAPES["arrays"]))] == [["a", 1], []]
    found = decode(SHAPES["class"])
    assert isinstance(found, JavaType) and found.kind and found.kind.name == "java.lang.String"


def test_what_a_class_wrote_by_itself_is_kept_apart() -> None:
    parcel = decode(SHAPES["parcel"])

    assert [type(item).__name__ for item in parcel.written["Shapes$Parcel"]] == ["Block", "str", "Block"]
    assert len(parcel.written["Shapes$Parcel"][2]) == 300
    assert decode(SHAPES["proxy"]).fields["h"].fields == {"token": 99}


def test_references_give_the_same_object_again() -> None:
    first, second, *texts = items(decode(SHAPES["shared"]))
    cycle = decode(SHAPES["cycle"])

    assert first is second and texts == ["s", "s"]
    assert items(cycle) == [cycle]


def test_an_exception_is_described_with_its_cause() -> None:
    assert describe(decode(SHAPES["exception"])) == (
        "java.lang.IllegalStateException: outer, caused by java.lang.RuntimeException: inner"
    )


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Yield *data* whole, byte by byte, and in two at every position."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    yield from ([data[:at], data[at:]] for at in range(1, len(data)))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_survives_every_cut(shape: str) -> None:
    """The value is the same, and it is there with its last byte and not before."""
    data = SHAPES[shape]
    wanted = plain(decode(data))

    for pieces in cuts(data):
        assert plain(decode(*pieces)) == wanted
    for end in range(len(data)):
        assert decode(data[:end]) is PENDING


def replayed(decoder: Decoder, data: bytes, size: int) -> Any:
    decoder.begin(one_value(decoder))
    for at in range(0, len(data), size):
        decoder.feed(data[at : at + size])
        if (value := decoder.result()) is not PENDING:
            return plain(value)
    return PENDING


@pytest.mark.parametrize("shape", SHAPES)
def test_a_description_met_before_means_the_same(shape: str) -> None:
    """One decoder reads all shapes again and again, cut differently each time."""
    decoder = object_decoder(Limits())
    wanted = plain(decode(SHAPES[shape]))
    for other in SHAPES.values():
        replayed(decoder, other, len(other))

    for size in (len(SHAPES[shape]), 1, 3, 7, 64):
        assert replayed(decoder, SHAPES[shape], size) == wanted


def test_an_exception_in_the_middle_keeps_what_came_before() -> None:
    """That is how a server ends a reply that it cannot serialise: TC_EXCEPTION, then the throwable."""
    whole = SHAPES["list"]
    broken = whole[: whole.index(b"two") + 3] + b"\x7b" + SHAPES["exception"]

    with pytest.raises(StreamAborted, match="IllegalStateException: outer") as caught:
        decode(broken)

    assert "two" in caught.value.partial
    assert any(isinstance(value, JavaObject) for value in caught.value.partial)


def text(content: str) -> bytes:
    return struct.pack(">H", len(content)) + content.encode()


def described(name: str, *, flags: int = 2, fields: bytes = b"\0\0", above: bytes = b"\x70") -> bytes:
    return b"\x72" + text(name) + bytes(8) + bytes((flags,)) + fields + b"\x78" + above


SMALL = Limits(size=4096, string=1024, elements=100, handles=100, depth=20, lineage=5, fields=10)
OBJECTS = described("[Ljava.lang.Object;")
HOSTILE: dict[str, tuple[bytes, str]] = {
    "unknown tag": (b"\x01", "tag 0x01"),
    "end mark without a beginning": (b"\x78", "tag 0x78"),
    "data without an owner": (b"\x77\x01x", "tag 0x77"),
    "string where a class belongs": (b"\x73" + b"\x74" + text("x"), "class descriptor"),
    "object without a class": (b"\x73\x70", "without a class"),
    "array of no array class": (b"\x75" + described("x"), "without an array class"),
    "enum without a name": (b"\x7e" + described("E", flags=18) + b"\x70", "without a name"),
    "reference to nothing": (b"\x71" + struct.pack(">i", 0x7E0000), "reference"),
    "reference below the first": (b"\x71" + struct.pack(">i", 1), "reference"),
    "class that is its own parent": (
        b"\x73" + described("x", above=b"\x71" + struct.pack(">i", 0x7E0000)),
        "unfinished",
    ),
    "number that refers to itself": (
        b"\x73" + described("java.lang.Long", fields=b"\0\1L" + text("value") + b"\x74" + text("J")),
        "does not hold one number",
    ),
    "number without a value": (b"\x73" + described("java.lang.Long"), "does not hold one number"),
    "field of an unknown type": (b"\x73" + described("x", fields=b"\0\1Q" + text("f")), "type 'Q'"),
    "long string": (b"\x7c" + struct.pack(">q", 2**62), "announced"),
    "string of negative length": (b"\x7c" + struct.pack(">q", -1), "announced"),
    "string over the limit": (b"\x74\xff\xff", "announced"),
    "bad text": (b"\x74\0\2\xff\xff", "modified UTF-8"),
    "bad class name": (b"\x73\x72\0\1\xff" + bytes(11), "modified UTF-8"),
    "array of 2 billion": (b"\x75" + OBJECTS + struct.pack(">i", 2**31 - 1), "elements"),
    "array of negative length": (b"\x75" + OBJECTS + struct.pack(">i", -1), "elements"),
    "2 billion longs": (b"\x75" + described("[J") + struct.pack(">i", 2**31 - 1), "elements"),
    "negative longs": (b"\x75" + described("[J") + struct.pack(">i", -9), "elements"),
    "class of 11 fields": (b"\x73" + described("x", fields=b"\0\x0b"), "11 fields"),
    "proxy of a billion": (b"\x73\x7d" + struct.pack(">i", 2**30), "interfaces"),
    "arrays within arrays": ((b"\x75" + OBJECTS + b"\0\0\0\1") * 50, "nested deeper than 20"),
    "parents of parents": (b"\x73" + described("x", above=b"") * 40, "nested deeper than 20"),
    "too many objects": (
        b"\x75" + OBJECTS + b"\0\0\0\x64" + (b"\x74" + text("x")) * 100,
        "more than 100 objects",
    ),
    "externalizable of the old form": (b"\x73" + described("x", flags=4), "cannot be skipped"),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(StreamError, match=reason):
        decode(data, limits=SMALL)


def test_a_reply_without_end_is_refused() -> None:
    block = b"\x7a\0\0\3\0" + bytes(768)

    with pytest.raises(StreamError, match="more than 4096 bytes"):
        decode(b"\x73" + described("x", flags=3), *[block] * 6, limits=SMALL)


def test_a_long_chain_of_parents_costs_its_bytes_once() -> None:
    """Each class extends the one before by reference: legal, cheap to write, dear to walk."""
    chain = described("c0")
    for number in range(1, 10):
        chain += described(f"c{number}", above=b"\x71" + struct.pack(">i", 0x7E0001 + number))

    with pytest.raises(StreamError, match="ancestors"):
        decode(b"\x75" + OBJECTS + b"\0\0\0\x10" + chain, limits=SMALL)


@settings(max_examples=often(300))
@given(st.sampled_from(sorted(SHAPES)), st.data())
def test_damaged_streams_end_in_a_value_or_a_reason(shape: str, data: st.DataObject) -> None:
    damaged = bytearray(SHAPES[shape])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))

    _survives(bytes(damaged))


@settings(max_examples=often(300))
@given(
    st.lists(st.sampled_from([*range(0x70, 0x7F), 0, 1, 2, 3]), max_size=300).map(bytes)
    | st.lists(st.sampled_from(sorted(SHAPES)), max_size=5).map(
        lambda names: b"".join(SHAPES[n] for n in names)
    )
)
def test_noise_in_the_alphabet_of_the_grammar_does_no_harm(data: bytes) -> None:
    _survives(b"\x75" + OBJECTS + b"\0\0\0\x10" + data)


_EXPERIENCED = object_decoder(SMALL)
for _shape in SHAPES.values():
    with contextlib.suppress(StreamError):
        replayed(_EXPERIENCED, _shape, len(_shape))


def _survives(data: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(StreamError, StreamAborted):
        plain(decode(data, limits=SMALL))
    with contextlib.suppress(StreamError, StreamAborted):
        replayed(_EXPERIENCED, data, len(data))
    assert time.process_time() - began < 2


def test_time_is_linear_in_the_bytes_however_they_arrive() -> None:
    """A thousand objects in pieces of 7 bytes: no piece makes the decoder begin again."""
    one = SHAPES["table"]
    data = b"\x75" + OBJECTS + struct.pack(">i", 40) + (b"\x79" + one) * 40
    began = time.process_time()
    whole = decode(data)
    once = time.process_time() - began
    began = time.process_time()
    pieces = decode(*[data[at : at + 7] for at in range(0, len(data), 7)])

    assert isinstance(whole, JavaArray) and isinstance(pieces, JavaArray)
    assert time.process_time() - began < 20 * once + 0.5


def test_memory_is_bounded_by_the_limits() -> None:
    """The worst that fits into the limit of handles: empty objects, six bytes each."""
    empty = b"\x73\x71" + struct.pack(">i", 0x7E0002)
    data = b"\x75" + OBJECTS + struct.pack(">i", 100_000) + b"\x73" + described("x") + empty * 100_000
    tracemalloc.start()
    try:
        with pytest.raises(StreamError, match="more than 50000 objects"):
            decode(data, limits=Limits(handles=50_000))
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()
