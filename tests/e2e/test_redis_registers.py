"""Clients of two pods share registers, counts, locks, queues and channels while servers and links go.

What they saw is judged as a whole (`tests/support/registers/laws.py`). SEED repeats a schedule; SOAK=1 plays
ROUNDS whole ones, the short form a few nemeses of one.
"""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from tests.support.ambassador import Ambassador
from tests.support.registers.field import Field, Ground, SecuredField
from tests.support.registers.history import History
from tests.support.registers.laws import faults
from tests.support.registers.nemeses import Nemeses, Nemesis
from tests.support.registers.player import Player, play
from tests.support.registers.players import audit, cast
from tests.support.registers.watched import Watched
from tests.support.waiting import until

G = TypeVar("G", bound=Ground)

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6) if SOAK else 7))
ROUNDS = int(os.environ.get("ROUNDS", "30")) if SOAK else 1
# xdist wants the same ids of all its workers, so these are no seeds
rounds = pytest.mark.parametrize("number", range(ROUNDS))
LONGEST = 1.5 if SOAK else 0.4  # seconds that a nemesis lasts, roughly


def run(ground: type[G], choose: Callable[[G], Iterable[Nemesis]], seed: int) -> History:
    """Play on *ground* while the nemeses come; return what happened."""
    history = History()
    with ground(history) as field:
        players = cast(history, [pod.port for pod in field.pods], seed)
        try:
            for player in players:
                player.start()
            play(players)
            until(lambda: all(at_replicas(pod) > 50 for pod in field.pods), what="reads to be split")
            for nemesis in choose(field):
                nemesis()
            field.linked()
            play(players)
        finally:
            end(players)
        field.linked()
        audit(history, [server.port for server in [field.master, *field.replicas]])
        for pod in field.pods:
            if "Traceback" in pod.process.output or "ERROR" in pod.process.output:
                history.fault(f"a pod's log:\n{pod.process.output[-3000:]}")
    return history


def at_replicas(pod: Ambassador) -> float:
    return sum(count for (route, _), count in pod.reads().items() if route == "replica")


def end(players: list[Player]) -> None:
    for player in players:
        player.stop()
    for player in players:
        player.join()


def check(history: History, seed: int) -> None:
    found = faults(history)
    acts = "\n".join(history.acts)
    assert not found, f"SEED={seed}, {len(history.events)} operations\n{acts}\n" + "\n".join(found[:8])
    print(f"SEED={seed}: {len(history.events)} operations, told: {dict(history.errors)}\n{acts}")


@rounds
def test_no_law_is_broken_while_no_acknowledged_write_may_be_lost(number: int) -> None:
    seed = SEED + number

    def choose(field: Field) -> list[Nemesis]:
        nemeses = Nemeses(field, seed, longest=LONGEST)
        return nemeses.draw(nemeses.gentle(), 11 if SOAK else 4)

    check(run(Field, choose, seed), seed)


@rounds
@pytest.mark.parametrize("ground", [Field, SecuredField])
def test_no_more_is_lost_in_failovers_than_the_servers_lose(ground: type[Field], number: int) -> None:
    seed = SEED + number

    def choose(field: Field) -> list[Nemesis]:
        nemeses = Nemeses(field, seed, longest=LONGEST)
        return nemeses.draw(nemeses.losing(), 3 if SOAK else 1)

    check(run(ground, choose, seed), seed)


@rounds
def test_no_more_is_lost_when_sentinels_change_the_master(number: int) -> None:
    seed = SEED + number

    def choose(watched: Watched) -> list[Nemesis]:
        acts = watched.crash, functools.partial(watched.crash, as_master=True), watched.planned
        return random.Random(seed).choices(acts, k=4) if SOAK else [watched.crash]

    check(run(Watched, choose, seed), seed)
