"""Tokens come at their rate, are kept up to their number, and each is had once."""

from __future__ import annotations

import pytest

from podmates_redis.tokens import Tokens


def test_what_was_saved_up_is_had_at_once_and_then_it_is_waited_for() -> None:
    tokens = Tokens(4.0, 2.0)

    assert [tokens.take(10.0) for _ in range(3)] == [0.0, 0.0, 0.25]
    assert tokens.take(10.125) == pytest.approx(0.125)
    assert tokens.take(10.25) == 0.0
    assert tokens.take(10.25) == 0.25


def test_no_more_is_saved_up_than_may_be_kept() -> None:
    tokens = Tokens(4.0, 2.0)
    tokens.take(0.0)

    assert [tokens.take(1000.0) for _ in range(3)] == [0.0, 0.0, 0.25]
