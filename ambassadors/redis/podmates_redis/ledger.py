"""How much is held for all clients together, and how much one of them may hold. No I/O.

The law of this file
 1. A client may hold a quarter of what is free: nobody is read, or read for, who holds more. So some is left
    for those who come after, and those who hold little are served as ever.
 2. What nothing can be done about (a request that is half here) may exceed that; when all of it together
    exceeds the limit, whoever holds most goes, as at a server with ``maxmemory-clients``.
"""

from __future__ import annotations

_SHARE = 4  # part of what is free that one client may hold
_LEAST = 16 * 1024  # bytes that a client may hold in any case: less would cost it its turn
PLENTY = 1 << 40  # bytes, where there is no limit


class Ledger:
    """What is held for clients, in bytes; *limit* 0: any amount."""

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit or PLENTY
        self.held = 0

    def share(self) -> int:
        """Return how much one client may hold now."""
        free = (self.limit - self.held) // _SHARE
        return free if free > _LEAST else _LEAST

    @property
    def pressed(self) -> bool:
        """Tell whether it is worth while to look at who holds what."""
        return self.held > self.limit // 2

    @property
    def full(self) -> bool:
        """Tell whether somebody has to go."""
        return self.held > self.limit

    @property
    def roomy(self) -> bool:
        """Tell whether there is room for one more client."""
        return self.held < self.limit
