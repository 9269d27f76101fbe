"""Waits grow to a limit, are never longer than promised, and start again after a success."""

from __future__ import annotations

from podmates_common.backoff import Backoff


def test_waits_double_up_to_the_limit_and_start_again() -> None:
    backoff = Backoff(1, 5, random=lambda: 0.0)

    assert [backoff.next() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next() == 1


def test_chance_makes_a_wait_shorter_never_longer() -> None:
    backoff = Backoff(10, 10, jitter=0.5, random=lambda: 1.0)

    assert backoff.next() == 5
