"""How often something may happen: so often a second, and at once as often as was saved up. No I/O."""

from __future__ import annotations


class Tokens:
    """*rate* tokens come a second; *most* are kept, and are there at first."""

    def __init__(self, rate: float, most: float) -> None:
        self._rate, self._most = rate, most
        self._left, self._counted_at = most, float("-inf")

    def take(self, now: float) -> float:
        """Take one and return 0; without one return the seconds until there is one. *now* is in seconds."""
        self._left = min(self._most, self._left + (now - self._counted_at) * self._rate)
        self._counted_at = now
        if self._left < 1.0:
            return (1.0 - self._left) / self._rate
        self._left -= 1.0
        return 0.0
