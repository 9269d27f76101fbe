"""How many distinct members a set had in the time just past: exact while few, an estimate when many.

A window is a ring of slices; at each turn the oldest is forgotten. Up to `EXACT` members are kept as hashes,
beyond them a HyperLogLog per slice (Flajolet et al., 2007) whose error is some 1.6 %.
"""

from __future__ import annotations

import math

SLICES = 6
EXACT = 1024  # members that are told apart
_BITS = 12  # of a hash choose a register
_REGISTERS = 1 << _BITS
_ALPHA = 0.7213 / (1 + 1.079 / _REGISTERS)
_HASH = (1 << 64) - 1


class Members:
    """The members of one set. Its memory is bounded by some 150 kB."""

    __slots__ = ("_last", "_slices", "_sum", "_turns", "_union")

    def __init__(self) -> None:
        self._turns = 0
        self._last: dict[int, int] | None = {}  # hash → the turn it was last seen in; None: an estimate
        self._slices: list[bytearray] = []  # newest first
        self._union = bytearray()
        self._sum = 0.0  # of 2 to the minus each register of the union

    def add(self, member: str) -> None:
        """Take *member*."""
        hashed = hash(member) & _HASH  # keyed by the process, so that nobody can choose hashes
        if self._last is not None:
            self._last[hashed] = self._turns
            if len(self._last) > EXACT:
                self._estimate(self._last)
            return
        self._register(self._slices[0], hashed)

    def _estimate(self, last: dict[int, int]) -> None:
        """Change from hashes to registers."""
        self._slices = [bytearray(_REGISTERS) for _ in range(SLICES)]
        self._union, self._sum, self._last = bytearray(_REGISTERS), float(_REGISTERS), None
        for hashed, turn in last.items():
            self._register(self._slices[self._turns - turn], hashed)

    def _register(self, registers: bytearray, hashed: int) -> None:
        place, rest = hashed & (_REGISTERS - 1), hashed >> _BITS
        rank = 64 - _BITS - rest.bit_length() + 1
        registers[place] = max(registers[place], rank)
        if rank > self._union[place]:
            self._sum += math.ldexp(1.0, -rank) - math.ldexp(1.0, -self._union[place])
            self._union[place] = rank

    def count(self) -> int:
        """Return how many there are."""
        if self._last is not None:
            return len(self._last)
        empty = self._union.count(0)
        estimate = _ALPHA * _REGISTERS * _REGISTERS / self._sum
        if estimate <= 2.5 * _REGISTERS and empty:
            estimate = _REGISTERS * math.log(_REGISTERS / empty)
        return round(estimate)

    def turn(self) -> None:
        """Begin a new slice and forget the oldest."""
        self._turns += 1
        if self._last is not None:
            oldest = self._turns - SLICES
            self._last = {hashed: turn for hashed, turn in self._last.items() if turn > oldest}
            return
        self._slices = [bytearray(_REGISTERS), *self._slices[:-1]]
        self._union = bytearray(map(max, *self._slices))
        self._sum = sum(math.ldexp(1.0, -rank) for rank in self._union)
        if self._union.count(0) == _REGISTERS:
            self._last = {}
            self._slices, self._union = [], bytearray()
