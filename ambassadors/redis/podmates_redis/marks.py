"""Proof that a replica has what a read could have to see. No I/O, no clock.

The law of this file
 1. A write marks its keys with the generation in force when it is accepted; marks never sink.
 2. A probe of the master takes a generation with it (`begin`): all writes up to it were answered before
    the probe was sent, so the offset that comes back includes them. Then the generation rises.
 3. A replica of the same history whose own offset has reached a probe's offset covers its generation.
 4. Whoever learnt of others' writes raises the floor before the client hears of it.
 5. Nothing is covered at the start, nor when a new connection may mean another history (`forget`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

SLOTS = 65536  # two keys of one slot cost a read at the master, nothing else
LATE = 1.0  # seconds after which an unanswered write no longer holds up the proof


@dataclass(slots=True, eq=False)
class Follower:
    """A replica as routing sees it."""

    name: str
    usable: bool = False
    covered: int = 0  # the generation it is proven to have
    proven_at: int = 0  # the offset that proved it
    clients: int = 0  # that read there, over connections of their own
    sharing: int = 0  # and over shared ones
    late: bool = False  # read although it is too far behind, for want of others
    share: float = 1.0  # of the clients, less for one that came back just now; above 0
    distance: float = 0.0  # seconds that a question to it takes
    zone: str = ""
    turn: float = 0.0  # where it stands when clients are given out in turn

    @property
    def readers(self) -> int:
        """How many clients read there."""
        return self.clients + self.sharing


@dataclass(frozen=True, slots=True)
class Proof:
    """What one probe of the master has shown."""

    generation: int
    history: str  # replication id
    offset: int


class Marks:
    """Generations, marks and proofs of one process."""

    def __init__(self) -> None:
        self.generation = 1
        self.floor = 0
        self.late = 0  # writes of this generation or older are marked when they are answered
        self.everything = 1  # the mark that lies on every key; see law 5
        self._keys = array("Q", bytes(8 * SLOTS))
        self._newest = 0  # generation of the last write of any key
        self._unanswered: dict[int, int] = {}  # generation: writes
        self._ended: dict[int, float] = {}  # generation: when it was over, seconds
        self._proofs: list[Proof] = []  # the newest last, at most a few
        self._era = 0

    def slot(self, database: int, key: bytes) -> int:
        """Return the place of *key* among the marks."""
        return hash((database, key)) & (SLOTS - 1)

    def write(self, slots: Iterable[int]) -> int:
        """Mark *slots* for a write that is on its way; return its generation for `answered`."""
        generation = self._newest = self.generation
        for slot in slots:
            self._keys[slot] = generation
        self._unanswered[generation] = self._unanswered.get(generation, 0) + 1
        return generation

    def write_everything(self) -> int:
        """Mark all keys for a write whose keys are not known."""
        self.everything = self.generation
        return self.write(())

    def answered(self, generation: int, slots: Iterable[int] | None) -> None:
        """Settle a write of `write`; a late one is marked anew, before its client hears the answer."""
        if generation <= self.late:
            self.mark(slots)
            return
        left = self._unanswered.get(generation, 0) - 1
        if left > 0:
            self._unanswered[generation] = left
        else:
            self._unanswered.pop(generation, None)
            self._ended.pop(generation, None)

    def mark(self, slots: Iterable[int] | None) -> None:
        """Mark *slots* (None: everything) as written before now."""
        self._newest = self.generation
        if slots is None:
            self.everything = self.generation
            return
        for slot in slots:
            self._keys[slot] = self.generation

    def acquire(self) -> None:
        """Remember that somebody here may know of any write made before now."""
        self.floor = self.generation

    def needed(self, slots: Iterable[int] | None) -> int:
        """Return the generation that a replica must cover to serve a read of *slots*, the floor apart."""
        if slots is None:
            return max(self.everything, self._newest)
        need = self.everything
        keys = self._keys
        for slot in slots:
            if keys[slot] > need:
                need = keys[slot]
        return need

    def begin(self, now: float) -> tuple[int, int]:
        """Return the token of a probe that is about to be sent; *now* in seconds."""
        for generation in [g for g, ended in self._ended.items() if now - ended > LATE]:
            self._unanswered.pop(generation, None)
            del self._ended[generation]
            self.late = max(self.late, generation)
        proven = min([self.generation, *(g - 1 for g in self._unanswered)])
        if self.generation in self._unanswered:
            self._ended[self.generation] = now
        self.generation += 1
        return proven, self._era

    def proven(self, token: tuple[int, int], history: str, offset: int) -> None:
        """Take the master's answer to the probe of *token*."""
        generation, era = token
        if era == self._era:
            self._proofs = [*self._proofs[-15:], Proof(generation, history, offset)]

    def cover(self, follower: Follower, history: str, offset: int) -> None:
        """Take a replica's own answer: what it has applied of which history."""
        for proof in self._proofs:
            reached = proof.history == history and proof.offset <= offset
            if reached and proof.generation > follower.covered:
                follower.covered, follower.proven_at = proof.generation, proof.offset

    def uncover(self, follower: Follower) -> None:
        """Let nothing count as proven of *follower*."""
        follower.covered = follower.proven_at = 0

    def forget(self, followers: Iterable[Follower]) -> None:
        """Start anew: what was proven may belong to a history that is over."""
        self._era += 1
        self._proofs = []
        self.everything = self.generation
        self.generation += 1
        for follower in followers:
            self.uncover(follower)

    def newest_proof(self) -> int:
        """Return the highest generation that a replica could be shown to cover."""
        return max((proof.generation for proof in self._proofs), default=0)
