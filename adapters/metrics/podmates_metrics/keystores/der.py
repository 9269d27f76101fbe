"""DER, and what some stores have of BER: lengths that an end marks, texts in pieces. No I/O."""

from __future__ import annotations

from typing import NamedTuple

from podmates_metrics.tree import Fault

SEQUENCE, SET, OCTETS, NUMBER, NAME, NULL = 0x30, 0x31, 0x04, 0x02, 0x06, 0x05
CHOSEN = 0xA0  # what is tagged [0] from outside
_MADE_UP = 0x20  # of other elements
_MOST = 20_000  # elements of one
DEEPEST = 20  # elements within each other whose end is only marked
_DAMAGED = "the file is damaged"


class Element(NamedTuple):
    tag: int
    content: bytes


def elements(data: bytes) -> list[Element]:
    """Return the elements that *data* is made of.

    Raises:
        Fault: it is not; so raise all functions here.
    """
    found: list[Element] = []
    at = 0
    while at < len(data):
        if len(found) == _MOST:
            raise Fault(f"more than {_MOST} parts")
        start, end, after = _span(data, at, 0)
        found.append(Element(data[at], data[start:end]))
        at = after
    return found


def sequence(data: bytes, least: int = 0) -> list[Element]:
    """Return the elements, at *least* so many, of the one sequence that *data* is."""
    outer = elements(data)
    if len(outer) != 1:
        raise Fault(_DAMAGED)
    return parts(outer[0], least)


def parts(element: Element, least: int = 0, tag: int = SEQUENCE) -> list[Element]:
    """Return the elements, at *least* so many, of one that must have the *tag*."""
    found = elements(content(element, tag))
    if len(found) < least:
        raise Fault(_DAMAGED)
    return found


def content(element: Element, tag: int) -> bytes:
    """Return what is in an element that must have the *tag*."""
    if element.tag != tag:
        raise Fault(_DAMAGED)
    return element.content


def octets(element: Element, tag: int = OCTETS) -> bytes:
    """Return bytes that are written in one piece or in several."""
    if element.tag != tag | _MADE_UP:
        return content(element, tag)
    return b"".join(content(piece, OCTETS) for piece in elements(element.content))


def number(element: Element, most: int) -> int:
    """Return a whole number from 0 to *most*."""
    data = content(element, NUMBER)
    found = int.from_bytes(data[:9], signed=True)
    if not data or len(data) > 8 or not 0 <= found <= most:
        raise Fault(f"a number is not from 0 to {most}")
    return found


def name(element: Element) -> str:
    """Return an object identifier as numbers with points."""
    data = content(element, NAME)
    if not 1 <= len(data) <= 32 or data[-1] & 0x80:
        raise Fault(_DAMAGED)
    found, value = [], 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            found.append(value)
            value = 0
    first = min(found[0] // 40, 2)
    return ".".join(map(str, (first, found[0] - 40 * first, *found[1:])))


def _span(data: bytes, at: int, depth: int) -> tuple[int, int, int]:
    """Return where the content of the element at *at* begins and ends, and where the next element is."""
    head = data[at : at + 6]
    if len(head) < 2 or head[0] & 0x1F == 0x1F or depth > DEEPEST:
        raise Fault(_DAMAGED)
    length, start = head[1], at + 2
    if length == 0x80:
        return _marked(data, at, depth)
    if length > 0x80:
        digits = head[2 : 2 + (length & 0x7F)]
        if length & 0x7F > 4 or len(digits) < length & 0x7F:
            raise Fault(_DAMAGED)
        start, length = start + len(digits), int.from_bytes(digits)
    if length > len(data) - start:
        raise Fault(_DAMAGED)
    return start, start + length, start + length


def _marked(data: bytes, at: int, depth: int) -> tuple[int, int, int]:
    if not data[at] & _MADE_UP:
        raise Fault(_DAMAGED)
    start = here = at + 2
    while data[here : here + 2] != b"\0\0":
        here = _span(data, here, depth + 1)[2]
    return start, here, here + 2
