"""Who has connections to servers of its own: so many clients at a time, the others wait for their turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from podmates_redis.clients.chores import Chores
from podmates_redis.clients.wants import Limits


class Lessee(Protocol):
    """Who wants connections."""

    def leased(self) -> None:
        """It may have connections now."""


class Leases:
    """At most *most* lessees at a time; 0: any number."""

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self._held: set[Lessee] = set()
        self._waiting: dict[Lessee, None] = {}  # in the order of asking

    def __len__(self) -> int:
        return len(self._held)

    def take(self, who: Lessee) -> bool:
        """Tell whether *who* may have connections; else it waits, and hears of it."""
        if who in self._held:
            return True
        first = next(iter(self._waiting), who)
        if self._free() and first is who:
            self._waiting.pop(who, None)
            self._held.add(who)
            return True
        self._waiting[who] = None
        return False

    def give(self, who: Lessee) -> None:
        """*who* has no connections, and waits for none."""
        self._held.discard(who)
        self._waiting.pop(who, None)
        first = next(iter(self._waiting), None)
        if first is not None and self._free():
            first.leased()

    def _free(self) -> bool:
        return not self.most or len(self._held) < self.most


class Turn:
    """The turn of one client: *begun* is called when it has come, *missed* when that took too long."""

    __slots__ = ("_begun", "_chores", "_leases", "_limits", "_missed")

    def __init__(
        self,
        leases: Leases,
        chores: Chores,
        limits: Limits,
        *,
        begun: Callable[[], None],
        missed: Callable[[], None],
    ) -> None:
        self._leases, self._chores, self._limits = leases, chores, limits
        self._begun, self._missed = begun, missed

    def come(self) -> bool:
        """Tell whether the client may have connections now; else wait for that."""
        if self._leases.take(self):
            self._chores.cancel("lease")
            return True
        if not self._chores.timed("lease"):
            self._chores.timer("lease", self._limits.pool_wait, self._late)
        return False

    def end(self) -> None:
        """The client has no connections."""
        self._leases.give(self)

    def leased(self) -> None:
        self._begun()

    def _late(self) -> None:
        self._chores.cancel("lease")
        self._leases.give(self)
        self._missed()
