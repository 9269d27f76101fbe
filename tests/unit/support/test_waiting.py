"""Waiting ends with the value, or with a message that says what was waited for."""

from __future__ import annotations

import os

import pytest

from tests.support.waiting import stays, until


def test_until_returns_the_first_true_value() -> None:
    values = iter([0, "", "found"])

    assert until(lambda: next(values), 10) == "found"


def test_until_names_what_it_waited_for_and_the_last_value() -> None:
    with pytest.raises(AssertionError, match=r"waited 0 s for the moon; the last look gave 0"):
        until(lambda: 0, 0, "the moon")


def test_until_takes_the_exceptions_named_for_not_yet_and_no_other() -> None:
    with pytest.raises(AssertionError, match="FileNotFoundError"):
        until(lambda: os.stat("/nonexistent/file"), 0, ignoring=(OSError,))
    with pytest.raises(ZeroDivisionError):
        until(lambda: 1 // 0, 0, ignoring=(OSError,))


def test_stays_fails_as_soon_as_the_condition_does() -> None:
    values = iter([True, True, False])

    with pytest.raises(AssertionError, match="the link held for"):
        stays(lambda: next(values), 10, "the link")
