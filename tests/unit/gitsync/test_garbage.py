"""Garbage is collected when enough has gathered, and not before."""

from __future__ import annotations

import pytest

from podmates_gitsync.git.garbage import FLOOR, Stored, is_due

MIB = 1 << 20


@pytest.mark.parametrize(
    ("now", "collected", "due"),
    [
        pytest.param(Stored(0, 1, 300 * MIB), 300 * MIB, False, id="nothing new"),
        pytest.param(Stored(499, 1, MIB), MIB, False, id="some loose objects"),
        pytest.param(Stored(500, 1, MIB), MIB, True, id="too many loose objects"),
        pytest.param(Stored(0, 9, MIB), MIB, False, id="some packs"),
        pytest.param(Stored(0, 10, MIB), MIB, True, id="too many packs"),
        pytest.param(Stored(0, 2, MIB + FLOOR), MIB, False, id="a little growth"),
        pytest.param(Stored(0, 2, MIB + FLOOR + 1), MIB, True, id="growth of a small repository"),
        pytest.param(Stored(0, 2, 105 * MIB), 100 * MIB, False, id="as much, of a large one"),
        pytest.param(Stored(0, 2, 111 * MIB), 100 * MIB, True, id="growth of a large one"),
        pytest.param(Stored(0, 1, MIB), 300 * MIB, False, id="shrunk"),
    ],
)
def test_it_is_due(now: Stored, collected: int, due: bool) -> None:
    assert is_due(now, collected) is due
