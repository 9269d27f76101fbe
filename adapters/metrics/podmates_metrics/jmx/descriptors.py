"""What is understood at a glance: classes described before, and numbers of such classes. No I/O.

A server describes every class anew in each reply. Recognised by their bytes, descriptions cost a
comparison instead of a construct per field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from podmates_metrics.jmx.decoder import FIRST_HANDLE, PENDING, Decoder
from podmates_metrics.jmx.javavalues import JavaClass, Value

CLASSES, VARIANTS, LONGEST = 500, 16, 2048  # remembered; of each class; bytes of one
_SHORT, _INT = Struct(">H"), Struct(">i")
HEAD = Struct(">qBH")  # after the name: identity, flags, number of fields


@dataclass(slots=True)
class Known:
    """A description met before.

    Attributes:
        body: the bytes between its head and its super class. They hold references to what came before
            in the stream, so that one class has several variants; what they refer to is the type of a
            field, which nobody asks for.
        signatures: the strings that the body adds to the handles.
        made: the class, as it was understood.
    """

    body: bytes
    signatures: list[Value]
    made: JavaClass


@dataclass(slots=True)
class Descriptors:
    """The descriptions met on a connection, by head: name, identity, flags and number of fields."""

    _known: dict[bytes, list[Known]] = field(default_factory=dict)

    def learn(self, head: bytes, known: Known) -> None:
        """Remember a description, unless it is of an unusual kind or there are too many."""
        variants = self._known.get(head, [])
        plain = all(isinstance(signature, str) for signature in known.signatures)
        short = len(head) + len(known.body) <= LONGEST
        room = len(variants) < VARIANTS and (variants or len(self._known) < CLASSES)
        if plain and short and room and not any(known.body == other.body for other in variants):
            self._known[head] = [*variants, known]

    def described(self, decoder: Decoder) -> Any:
        """Return the class that is described next, if it was met before; else `PENDING`."""
        buffer, start = decoder.buffer, decoder.position + 3
        if start > len(buffer):
            return PENDING
        end = start + _SHORT.unpack_from(buffer, start - 2)[0] + HEAD.size
        for known in self._known.get(bytes(buffer[start:end]), ()):
            if buffer.startswith(known.body, end):
                return self._again(decoder, known, end + len(known.body))
        return PENDING

    def _again(self, decoder: Decoder, known: Known, at: int) -> Any:
        """Return the class of *known*, whose super class stands at offset *at*; or undo everything."""
        start, first = decoder.position, len(decoder.handles)
        decoder.remember(known.made)
        for signature in known.signatures:
            decoder.remember(signature)
        decoder.position = at
        above = self._above(decoder)
        if above is not PENDING and known.made.lineage[:-1] == (above.lineage if above else ()):
            return known.made
        decoder.position = start
        del decoder.handles[first:]
        return PENDING

    def _above(self, decoder: Decoder) -> Any:
        """Return the super class that comes next, None where there is none; else `PENDING`."""
        buffer, at = decoder.buffer, decoder.position
        tag = buffer[at] if at < len(buffer) else 0
        if tag == 0x72:
            return self.described(decoder)
        if tag == 0x70:
            decoder.position = at + 1
            return None
        if tag != 0x71 or at + 5 > len(buffer):
            return PENDING
        decoder.position = at + 5
        return _referred(decoder, at + 1) or PENDING


def number(decoder: Decoder) -> Any:
    """Return the number object that comes next, if its class was described before; else `PENDING`."""
    buffer, position = decoder.buffer, decoder.position
    if position + 6 > len(buffer) or buffer[position + 1] != 0x71:
        return PENDING
    kind = _referred(decoder, position + 2)
    box = kind.box if kind else None
    if box is None or position + 6 + box.layout.size > len(buffer):
        return PENDING
    decoder.position = position + 6 + box.layout.size
    return decoder.remember(box.values(buffer, position + 6)[0])


def _referred(decoder: Decoder, at: int) -> JavaClass | None:
    """Return the complete class that the handle at offset *at* means, or None."""
    index = _INT.unpack_from(decoder.buffer, at)[0] - FIRST_HANDLE
    found = decoder.handles[index] if 0 <= index < len(decoder.handles) else None
    return found if isinstance(found, JavaClass) and found.lineage else None
