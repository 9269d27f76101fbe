"""Random play against the model: order, exactly one reply, never another's, own writes always seen."""

from __future__ import annotations

import os

import pytest

from tests.unit.redis.engine.oracle import World

SOAK = os.environ.get("SOAK") == "1"
COMMANDS = 100_000_000 if SOAK else 0
SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_clients_see_one_server(seed: int) -> None:
    world = World(seed)
    for _ in range(1500):
        world.turn()
    world.finish()

    assert world.failovers > 0
    assert world.heard > 500


@pytest.mark.skipif(not SOAK, reason="SOAK=1 plays 100 million commands")
def test_clients_see_one_server_for_long() -> None:
    heard, seed = 0, 1000
    while heard < COMMANDS:
        seed += 1
        world = World(seed, customers=8)
        for _ in range(20_000):
            world.turn()
        world.finish()
        heard += world.heard
