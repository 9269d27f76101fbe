"""The compiled engine and its twin in Python decide alike: the same bytes in, the same out, step by step."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.shared_path import Form, play
from tests.unit.redis.engine.customer import Customer
from tests.unit.redis.engine.oracle import World

SEEDS = range(8)


class Both:
    """Makes every call to both, and has them say the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Form, "twin", False)
        self.compiled = play()
        monkeypatch.setattr(Form, "twin", True)
        self._twin = play()

    def pass_time(self, seconds: float) -> None:
        """Do not: each has a clock, and what is between two looks at them would be all there is to see."""

    def __getattr__(self, name: str) -> Any:
        def call(*words: Any, **named: Any) -> Any:
            answers = [getattr(one, name)(*words, **named) for one in (self.compiled, self._twin)]
            assert answers[0] == answers[1], (name, words)
            return answers[0]

        return call


class Apart(Customer):
    """Has keys that never look alike to the compiled engine, which tells 256 apart while they are read."""

    def key(self) -> bytes:
        name = super().key()
        wanted = int(name.rpartition(b":")[2]) + 5 * self.number & 255
        names = (b"%b-%d" % (name, i) for i in itertools.count())
        return next(n for n in names if self.slot(0, n) & 255 == wanted)

    slot: Any = None


@pytest.mark.parametrize("seed", SEEDS)
def test_both_decide_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    both = Both(monkeypatch)
    monkeypatch.setattr(Apart, "slot", staticmethod(both.compiled.slot))
    monkeypatch.setattr("tests.unit.redis.engine.oracle.Customer", Apart)
    monkeypatch.setattr("tests.unit.redis.engine.oracle.play", lambda: both)
    world = World(seed)
    for _ in range(1500):
        world.turn()
    world.finish()

    assert world.heard > 300
