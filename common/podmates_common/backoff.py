"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Waits that grow from *first* to *limit* seconds, spread so that many pods do not retry in step.

    Args:
        first: the first wait, in seconds.
        limit: no wait is longer, in seconds, before the spread.
        factor: each wait is this many times the one before.
        jitter: share of a wait that is left to chance, 0 to 1; a wait is only ever made shorter.
        random: numbers in [0, 1).
    """

    def __init__(
        self,
        first: float,
        limit: float,
        *,
        factor: float = 2.0,
        jitter: float = 0.2,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._limit, self._factor = first, limit, factor
        self._jitter, self._random = jitter, random
        self._next = first

    def next(self) -> float:
        """Return the wait before the coming try, in seconds."""
        wait = min(self._next, self._limit)
        self._next = min(wait * self._factor, self._limit)
        return wait * (1 - self._jitter * self._random())

    def reset(self) -> None:
        """Start again from the first wait: the last try worked."""
        self._next = self._first
