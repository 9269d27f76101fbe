"""What is to be proved of replicas before they are read; the law stands in podmates_redis.marks. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from podmates_redis.marks import LATE
from podmates_redis.twin.marks import Proof
from podmates_redis.twin.shapes import Core, Keys

_RING = 1024  # generations that can have unanswered writes at a time


def mark(proof: Proof, keys: Iterable[int] | None) -> None:
    """Mark *keys* (None: everything) as written before now."""
    proof.newest = proof.generation
    if keys is None:
        proof.everything = proof.generation
        return
    marks, generation = proof.marks, proof.generation
    for key in keys:
        marks[key & 65535] = generation


def mark_sent(proof: Proof, keys: Iterable[int] | None) -> int:
    """Mark *keys* for a write that is on its way; return its generation."""
    mark(proof, keys)
    proof.unanswered[proof.generation] = proof.unanswered.get(proof.generation, 0) + 1
    return proof.generation


def settled(proof: Proof, generation: int) -> bool:
    """A write is answered; False: it was late, so its keys are to be marked anew."""
    if generation <= proof.late:
        return False
    left = proof.unanswered.get(generation, 0) - 1
    if left > 0:
        proof.unanswered[generation] = left
    else:
        proof.unanswered.pop(generation, None)
    return True


def needed(proof: Proof, keys: Iterable[int] | None) -> int:
    """Return the generation that a replica must cover to serve a read of *keys*."""
    need = proof.everything
    if keys is None:
        return max(need, proof.newest)
    for key in keys:
        need = max(need, proof.marks[key & 65535])
    return need


def proves(core: Core, keys: Keys, covered: int) -> bool:
    """Tell whether a replica that covers so much may serve a read of *keys*."""
    if not core.prove_marks:
        return True
    return needed(core.proof, keys) <= covered and (not core.prove_floor or core.proof.floor <= covered)


def begin(proof: Proof, now: float) -> int:
    """Return which generations a probe proves that is sent to the master after this; begin a new one."""
    proof.finished[proof.generation] = now
    for generation in [g for g in proof.finished if g not in proof.unanswered]:
        del proof.finished[generation]
    for generation in sorted(proof.finished):
        if generation == proof.generation:
            break
        recent = now - proof.finished[generation] <= LATE and proof.generation - generation < _RING - 1
        if recent:
            break
        proof.late = generation
        del proof.finished[generation], proof.unanswered[generation]
    proven = min([proof.generation, *(g - 1 for g in proof.unanswered)])
    proof.generation += 1
    return proven


def forget(core: Core) -> None:
    """Let nothing be covered: all marks count as set."""
    proof = core.proof
    proof.finished[proof.generation] = core.now
    proof.everything = proof.generation
    proof.generation += 1
    for place in core.places:
        place.covered = 0
