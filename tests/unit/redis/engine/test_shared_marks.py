"""The engine's marks are those of Python: random histories, told to both, are judged alike."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from podmates_redis.engine.marks import SharedMarks
from podmates_redis.marks import Follower, Marks
from tests.support.shared_path import play


class Twins:
    """The same history told to both kinds."""

    def __init__(self) -> None:
        self.box = play()
        self.followers = Follower("python"), Follower("engine")
        shared = SharedMarks(self.box, lambda follower: 1 if follower is self.followers[1] else 0)
        self.marks: tuple[Marks, Marks] = Marks(), shared

    def judge(self, slots: Iterable[int] | None) -> list[tuple[bool, bool, int]]:
        slots = None if slots is None else list(slots)
        return [
            (marks.needed(slots) <= follower.covered, marks.floor <= follower.covered, marks.late)
            for marks, follower in zip(self.marks, self.followers, strict=True)
        ]


@pytest.mark.parametrize("seed", range(30))
def test_both_judge_alike(seed: int) -> None:
    chosen, twins = random.Random(seed), Twins()
    on_their_way: list[tuple[list[int], list[int]]] = []
    covered = 0
    for _ in range(400):
        slots, kind = chosen.sample(range(30), chosen.randrange(1, 4)), chosen.random()
        if kind < 0.2:
            on_their_way.append((slots, [marks.write(slots) for marks in twins.marks]))
        elif kind < 0.22:
            on_their_way.append((slots, [marks.write_everything() for marks in twins.marks]))
        elif kind < 0.6 and on_their_way:
            known, generations = on_their_way.pop(chosen.randrange(len(on_their_way)))
            for marks, generation in zip(twins.marks, generations, strict=True):
                marks.answered(generation, known)
        elif kind < 0.65:
            for marks in twins.marks:
                marks.mark(slots)
        elif kind < 0.68:
            for marks in twins.marks:
                marks.acquire()
        elif kind < 0.95:
            for marks, follower in zip(twins.marks, twins.followers, strict=True):
                marks.proven(marks.begin(0.0), "history", 1)
                marks.cover(follower, "history", 1)
        else:
            for marks, follower in zip(twins.marks, twins.followers, strict=True):
                marks.forget([follower])
        python, engine = twins.judge(slots)
        assert python == engine
        assert twins.judge(None)[0] == twins.judge(None)[1]
        covered += python[0]
    assert 0 < covered < 400


def test_the_engine_reads_what_python_has_proven() -> None:
    twins = Twins()
    play_ = twins.box
    group = play_.open_group(0)
    play_.attach(group, 0, 100)
    play_.attach(group, 1, 101)
    play_.use_place(1, True)
    play_.connect(1, group)
    request = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
    play_.say(1, request)
    assert play_.sent(100) == request
    marks = twins.marks[1]
    marks.proven(marks.begin(0.0), "history", 1)
    marks.cover(twins.followers[1], "history", 1)
    play_.say(1, request)
    assert play_.sent(101) == request
    marks.uncover(twins.followers[1])
    play_.say(1, request)
    assert play_.sent(100) == request
