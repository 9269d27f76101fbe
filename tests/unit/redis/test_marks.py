"""The proof: a replica covers a write only if it is shown to have it, whatever happens meanwhile."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from podmates_redis.marks import LATE, Follower, Marks


@pytest.fixture
def marks() -> Marks:
    return Marks()


@pytest.fixture
def follower() -> Follower:
    return Follower("replica:1", usable=True)


def prove(marks: Marks, follower: Follower, now: float = 0.0) -> None:
    token = marks.begin(now)
    marks.proven(token, "h", token[0])
    marks.cover(follower, "h", token[0])


def test_nothing_is_covered_at_the_start(marks: Marks, follower: Follower) -> None:
    assert marks.needed([1]) > follower.covered


def test_a_write_is_covered_by_a_probe_sent_after_its_answer(marks: Marks, follower: Follower) -> None:
    generation = marks.write([7])
    prove(marks, follower)
    assert marks.needed([7]) > follower.covered  # it is not answered yet

    marks.answered(generation, [7])
    prove(marks, follower)
    assert marks.needed([7]) <= follower.covered


def test_a_probe_under_way_proves_nothing_of_a_write_sent_after_it(marks: Marks, follower: Follower) -> None:
    token = marks.begin(0.0)
    marks.answered(marks.write([7]), [7])
    marks.proven(token, "h", 10)
    marks.cover(follower, "h", 10)

    assert marks.needed([7]) > follower.covered
    assert marks.needed([8]) <= follower.covered


@pytest.mark.parametrize(("history", "offset"), [("h", 9), ("other", 10), ("", 99)])
def test_a_replica_covers_only_what_it_has_of_the_same_history(
    marks: Marks, follower: Follower, history: str, offset: int
) -> None:
    marks.proven(marks.begin(0.0), "h", 10)
    marks.cover(follower, history, offset)

    assert follower.covered == 0


def test_a_late_write_does_not_hold_up_the_proof_and_is_marked_when_answered(
    marks: Marks, follower: Follower
) -> None:
    generation = marks.write([7])
    prove(marks, follower, now=0.0)
    prove(marks, follower, now=LATE + 0.1)
    assert generation <= marks.late
    assert marks.needed([8]) <= follower.covered

    marks.answered(generation, [7])
    assert marks.needed([7]) > follower.covered
    prove(marks, follower)
    assert marks.needed([7]) <= follower.covered


def test_a_write_of_unknown_keys_lies_on_all(marks: Marks, follower: Follower) -> None:
    prove(marks, follower)
    marks.answered(marks.write_everything(), None)

    assert marks.needed([1]) > follower.covered


def test_a_read_of_unknown_keys_needs_every_write(marks: Marks, follower: Follower) -> None:
    prove(marks, follower)
    assert marks.needed(None) <= follower.covered
    marks.answered(marks.write([7]), [7])

    assert marks.needed(None) > follower.covered


def test_the_floor_rises_with_what_was_learnt(marks: Marks, follower: Follower) -> None:
    prove(marks, follower)
    marks.acquire()
    assert marks.floor > follower.covered

    prove(marks, follower)
    assert marks.floor <= follower.covered


def test_after_forgetting_old_probes_and_old_cover_count_for_nothing(
    marks: Marks, follower: Follower
) -> None:
    token = marks.begin(0.0)
    prove(marks, follower)
    marks.forget([follower])
    marks.proven(token, "h", 10)
    marks.cover(follower, "h", 99)
    assert (follower.covered, marks.newest_proof()) == (0, 0)

    prove(marks, follower)
    assert marks.needed([1]) <= follower.covered


@dataclass
class World:
    """A master, and a replica that follows it as it likes; a write runs some time after it is sent."""

    log: list[tuple[int, int]] = field(default_factory=list)  # (slot, value), in the master's order
    applied: int = 0
    pending: list[tuple[int, int, int]] = field(default_factory=list)  # (generation, slot, value): not run
    running: list[tuple[int, int]] = field(default_factory=list)  # (generation, slot): run, not answered
    answered: dict[int, int] = field(default_factory=dict)  # the newest answered write of each slot

    def at_replica(self, slot: int) -> int:
        return next((value for s, value in reversed(self.log[: self.applied]) if s == slot), 0)

    def newer_or_same(self, slot: int) -> bool:
        seen = self.at_replica(slot)
        order = [0, *(value for s, value in self.log if s == slot)]
        return order.index(seen) >= order.index(self.answered.get(slot, 0))


@pytest.mark.parametrize("seed", range(30))
def test_an_allowed_read_never_misses_an_answered_write(seed: int) -> None:
    """Everything that can happen to writes, probes and replication, in any order."""
    draw, marks, follower, world = random.Random(seed), Marks(), Follower("r"), World()
    probes: list[tuple[tuple[int, int], int]] = []  # (token, offset when the master answered, or -1)
    allowed = 0
    for step in range(3000):
        act, slot = draw.randrange(7), draw.randrange(5)
        if act == 0:
            world.pending.append((marks.write([slot]), slot, step + 1))
        elif act == 1 and world.pending:
            generation, slot, value = world.pending.pop(0)
            world.log.append((slot, value))
            world.running.append((generation, slot))
        elif act == 2 and world.running:
            generation, slot = world.running.pop(0)
            marks.answered(generation, [slot])
            run = [value for s, value in world.log if s == slot]
            unanswered = sum(s == slot for _, s in world.running)
            world.answered[slot] = run[-1 - unanswered]
        elif act == 3:
            probes.append((marks.begin(step / draw.choice((10, 1000))), -1))
        elif act == 4 and probes:
            token, _ = probes.pop(0)
            marks.proven(token, "h", len(world.log))
        elif act == 5:
            world.applied = draw.randint(world.applied, len(world.log))
            marks.cover(follower, "h", world.applied)
        elif marks.needed([slot]) <= follower.covered:
            allowed += 1
            assert world.newer_or_same(slot), f"step {step}"
    assert allowed > 0
