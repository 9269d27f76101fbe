"""How much may be asked again: a share of what was asked, so that retries feed on no retries. No I/O."""

from __future__ import annotations

SHARE = 0.2  # of a retry, earned by each request
MOST = 10_000.0  # retries saved up: one client's pipeline, lost whole


class Budget:
    """Retries that are left; full at first."""

    def __init__(self, share: float = SHARE, most: float = MOST) -> None:
        self._share, self._most = share, most
        self._left = most

    def earn(self, requests: int) -> None:
        """So many requests have come."""
        self._left = min(self._most, self._left + self._share * requests)

    def spend(self) -> bool:
        """Take one retry; False when there is none left."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
