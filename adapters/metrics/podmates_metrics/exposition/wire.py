"""The wire format of protocol buffers, as much as is needed to write messages.

https://protobuf.dev/programming-guides/encoding/: a field is a tag and a value.
"""

from __future__ import annotations

import struct

_PACK = struct.Struct("<d").pack
_SMALL = [bytes([number]) for number in range(128)]
_HEADS = [[bytes([field << 3 | 2, size]) for size in range(128)] for field in range(16)]


def varint(number: int) -> bytes:
    """Return an unsigned number, or a negative int64 as its two's complement."""
    if 0 <= number < 128:
        return _SMALL[number]
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> bytes:
    """Return a signed number as sint32 and sint64 have it."""
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def whole(field: int, number: int) -> bytes:
    """Return a field of a whole number; the type's 0 is written like any other."""
    return varint(field << 3) + varint(number)


def signed(field: int, number: int) -> bytes:
    """Return a field of type sint32 or sint64."""
    return varint(field << 3) + zigzag(number)


def double(field: int, number: float) -> bytes:
    """Return a field of type double."""
    return varint(field << 3 | 1) + _PACK(number)


def message(field: int, content: bytes) -> bytes:
    """Return a field whose value is a message or bytes."""
    size = len(content)
    if field < 16 and size < 128:  # nearly always
        return _HEADS[field][size] + content
    return varint(field << 3 | 2) + varint(size) + content


def text(field: int, value: str) -> bytes:
    """Return a field of type string."""
    return message(field, value.encode())
