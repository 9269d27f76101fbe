"""Waiting for something to become true: with a deadline, never for a fixed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STEP = 0.02  # seconds between two looks; a test that waits long costs fifty looks a second
_NEVER_SET = threading.Event()


def pause(seconds: float) -> None:
    """Let *seconds* go by. For pacing a load only, never in the hope that something has happened by then."""
    _NEVER_SET.wait(seconds)


def until(
    condition: Callable[[], T],
    timeout: float = 60.0,
    what: str = "the condition",
    *,
    ignoring: tuple[type[Exception], ...] = (),
) -> T:
    """Return the first true value of *condition*.

    Args:
        condition: asked every 20 ms, at least once also when the time is up.
        timeout: seconds.
        what: completes "waited 60 s for …".
        ignoring: exceptions that mean "not yet".

    Raises:
        AssertionError: it stayed false; the message holds the last value or exception.
    """
    deadline = time.monotonic() + timeout
    while True:
        late = time.monotonic() >= deadline
        last: object
        try:
            value = condition()
        except ignoring as error:
            last = error
        else:
            if value:
                return value
            last = value
        if late:
            raise AssertionError(f"waited {timeout:g} s for {what}; the last look gave {last!r}")
        pause(_STEP)


def stays(condition: Callable[[], object], seconds: float, what: str = "the condition") -> None:
    """Return after *seconds* in which every look at *condition* gave a true value.

    Raises:
        AssertionError: it became false.
    """
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        assert condition(), f"{what} held for {passed:.2f} s only"
        pause(_STEP)
