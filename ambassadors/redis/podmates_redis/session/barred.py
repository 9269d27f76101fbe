"""Users whom a replica refuses though the master does not: for a while they read elsewhere. No I/O."""

from __future__ import annotations

CREDENTIALS = ("NOAUTH", "WRONGPASS", "NOPERM")  # how a server begins that refuses a user
WORDS = tuple(f"-{word}".encode() for word in CREDENTIALS)
_FOR = 60.0  # seconds; an operator who mends it need not tell us
_MOST = 10_000


class Barred:
    """Pairs of a replica and a user."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, bytes], float] = {}

    def add(self, replica: str, user: bytes, now: float) -> None:
        """Keep *user* away from *replica* from *now* on."""
        if len(self._until) >= _MOST:
            self._until.clear()  # they are found out again
        self._until[replica, user] = now + _FOR

    def has(self, replica: str, user: bytes, now: float) -> bool:
        """Tell whether *user* is to be kept away from *replica*."""
        until = self._until.get((replica, user)) if self._until else None
        if until is None:
            return False
        if until <= now:
            del self._until[replica, user]
        return until > now
