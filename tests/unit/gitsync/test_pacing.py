"""Pauses grow with failures up to a limit, chance only lengthens them, and by default none changes."""

from __future__ import annotations

import itertools

import pytest

from podmates_gitsync.sync.pacing import pause


@pytest.mark.parametrize(
    ("failures", "limit", "seconds"),
    [
        *((0, 0, 10), (5, 0, 10), (0, 60, 10), (1, 60, 20), (2, 60, 40), (3, 60, 60), (9, 60, 60)),
        *((1, 5, 10), (100_000, 3600, 3600)),
    ],
)
def test_failures_double_the_pause_up_to_the_limit(failures: int, limit: float, seconds: float) -> None:
    assert pause(10, failures, limit=limit, jitter=0, draw=0.9) == seconds


def test_chance_only_lengthens_and_by_no_more_than_its_share() -> None:
    for jitter, draw in itertools.product((0, 0.1, 1), (0, 0.5, 1)):
        assert pause(10, 0, limit=0, jitter=jitter, draw=draw) == pytest.approx(10 * (1 + jitter * draw))
