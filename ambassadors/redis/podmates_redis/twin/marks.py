"""The marks of the proof. No I/O."""

from __future__ import annotations

from array import array

MARKS = 65536


class Proof:
    """The marks, as podmates_redis.marks has them."""

    def __init__(self) -> None:
        self.marks = array("Q", bytes(8 * MARKS))
        self.generation = self.everything = self.oldest = 1
        self.floor = self.late = self.newest = 0
        self.unanswered: dict[int, int] = {}  # writes by generation
        self.finished: dict[int, float] = {}  # when a generation was over that has such
