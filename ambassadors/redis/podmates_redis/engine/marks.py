"""The marks of the process where the engine keeps them, for both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from podmates_redis.marks import Follower, Marks

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Box


class SharedMarks(Marks):
    """`Marks` whose numbers stand in the engine; *place* tells which of its replicas a follower is."""

    def __init__(self, box: Box, place: Callable[[Follower], int]) -> None:
        self._box, self._place = box, place
        self._proofs = []
        self._era = 0

    @property
    def generation(self) -> int:  # type: ignore[override]
        return self._box.generation

    @property
    def floor(self) -> int:  # type: ignore[override]
        return self._box.floor

    @property
    def late(self) -> int:  # type: ignore[override]
        return self._box.late

    @property
    def everything(self) -> int:  # type: ignore[override]
        return self._box.everything

    def slot(self, database: int, key: bytes) -> int:
        return self._box.slot(database, key)

    def write(self, slots: Iterable[int]) -> int:
        return self._box.mark(slots, True)

    def write_everything(self) -> int:
        return self._box.mark(None, True)

    def answered(self, generation: int, slots: Iterable[int] | None) -> None:
        if not self._box.settled(generation):
            self._box.mark(slots, False)

    def mark(self, slots: Iterable[int] | None) -> None:
        self._box.mark(slots, False)

    def acquire(self) -> None:
        self._box.acquire()

    def needed(self, slots: Iterable[int] | None) -> int:
        return self._box.needed(slots)

    def begin(self, now: float) -> tuple[int, int]:
        return self._box.begin(), self._era

    def cover(self, follower: Follower, history: str, offset: int) -> None:
        before = follower.covered
        super().cover(follower, history, offset)
        if follower.covered != before:
            self.tell(follower)

    def uncover(self, follower: Follower) -> None:
        super().uncover(follower)
        self.tell(follower)

    def tell(self, follower: Follower) -> None:
        """Let the engine know what *follower* covers."""
        place = self._place(follower)
        if place:
            self._box.cover(place, follower.covered)

    def forget(self, followers: Iterable[Follower]) -> None:
        self._era += 1
        self._proofs = []
        self._box.forget()
        for follower in followers:
            follower.covered = follower.proven_at = 0
