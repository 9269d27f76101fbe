"""Class descriptions recognised by their bytes, so that each is understood once per connection. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from podmates_metrics.jmx.javavalues import Primitives

CLASSES, VARIANTS, LONGEST = 500, 16, 2048  # remembered; of each class; bytes of one


@dataclass(frozen=True, slots=True)
class Known:
    """The part of a description between its head and its super class.

    Attributes:
        body: its bytes. They hold references to what came before in the stream, so that one class has
            several variants; what they refer to is the type of a field, which nobody asks for.
        signatures: the strings that the body adds to the handles.
        pieces: what it means.
    """

    body: bytes
    signatures: list[Any]
    pieces: list[Primitives | str]


class Descriptors:
    """The descriptions met so far, by head: name, identity, flags and number of fields."""

    def __init__(self) -> None:
        self._known: dict[bytes, list[Known]] = {}

    def find(self, head: bytes, buffer: bytearray, at: int) -> Known | None:
        """Return what *buffer* holds from offset *at* on, if that was met before."""
        for known in self._known.get(head, ()):
            if buffer.startswith(known.body, at):
                return known
        return None

    def add(self, head: bytes, known: Known) -> None:
        """Remember a description, unless it is of an unusual kind or there are too many."""
        variants = self._known.get(head, [])
        plain = all(isinstance(signature, str) for signature in known.signatures)
        short = len(head) + len(known.body) <= LONGEST
        room = len(variants) < VARIANTS and (variants or len(self._known) < CLASSES)
        if plain and short and room:
            self._known[head] = [*variants, known]
