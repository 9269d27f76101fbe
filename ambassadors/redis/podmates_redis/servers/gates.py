"""When a server may be connected to: after failures ever less often, and never too often in a second. No I/O.

The law of this file
 1. After the n-th failure in a row nobody tries for a random time of up to 50 ms * 2^n, at most 5 s (full
    jitter). An answer to the ambassador's own question ends that at once.
 2. After a failure one tries at a time, until somebody has come through.
 3. Connections cost a token each; so many come back a second, and so many may be saved up.
"""

from __future__ import annotations

from collections.abc import Callable

from podmates_redis.tokens import Tokens

_FIRST = 0.05  # seconds
_LONGEST = 5.0  # seconds
_RATE = 1000.0  # connections a second
_BURST = 1000.0  # connections at once


class Gate:
    """The way to one server; times are in seconds, *random* gives numbers in [0, 1).

    *trial* is the longest time that a try may take.
    """

    def __init__(
        self, random: Callable[[], float], *, trial: float = 1.0, rate: float = _RATE, burst: float = _BURST
    ) -> None:
        self._random, self._trial = random, trial
        self._tokens = Tokens(rate, burst)
        self.failures, self.failed_at = 0, 0.0  # in a row, and the last one
        self._closed_until = 0.0
        self._tried_until = 0.0  # by somebody, who is heard of before

    def wait(self, now: float) -> float:
        """Return 0 when somebody may connect *now*, which takes a token; else how long to wait for it."""
        if now < self._closed_until:
            return self._closed_until - now
        if self.failures and now < self._tried_until:
            return self._tried_until - now
        if wait := self._tokens.take(now):
            return wait
        self._tried_until = now + self._trial
        return 0.0

    def failed(self, now: float) -> None:
        """A connection could not be made; those that were tried meanwhile count as one."""
        self.failed_at = now
        self._tried_until = 0.0
        if now < self._closed_until:
            return
        self._closed_until = now + min(_LONGEST, _FIRST * 2**self.failures) * self._random()
        self.failures = min(self.failures + 1, 30)

    def worked(self) -> None:
        """The server answered."""
        self.failures, self._closed_until, self._tried_until = 0, 0.0, 0.0
