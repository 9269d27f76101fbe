"""Protobuf messages read back by what the protocol's documentation says, apart from the encoder."""

from __future__ import annotations

import struct
from typing import Any

Fields = dict[int, list[Any]]  # by number: whole numbers, doubles, bytes


def fields(data: bytes) -> Fields:
    """Return the fields of a message; whole numbers as unsigned, lengths as bytes."""
    found: Fields = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, form = tag >> 3, tag & 7
        value: Any
        if form == 0:
            value, at = _varint(data, at)
        elif form == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        else:
            assert form == 2, form
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
            assert len(value) == size
        found.setdefault(number, []).append(value)
    return found


def delimited(data: bytes) -> list[Fields]:
    """Return messages that each stand behind their length."""
    found = []
    at = 0
    while at < len(data):
        size, at = _varint(data, at)
        assert at + size <= len(data)
        found.append(fields(data[at : at + size]))
        at += size
    return found


def signed(number: int) -> int:
    """Return what a zigzag number means."""
    return (number >> 1) ^ -(number & 1)


def labels(metric: Fields) -> dict[str, str]:
    """Return the label pairs of a metric or an exemplar."""
    pairs = [fields(pair) for pair in metric.get(1, [])]
    return {pair[1][0].decode(): pair[2][0].decode() for pair in pairs}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
