"""Which servers are asked: those that were given, and the replicas that masters named. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Place = tuple[str, int]  # host and port

_MEMORY = 60.0  # seconds for which a replica is asked that no master names any more


@dataclass(slots=True, kw_only=True)
class Manner:
    """How servers are found, as far as it changes what is believed of them. A reload changes it in place."""

    volatile: bool = False  # an address may lead to another server for the next connection
    learn_replicas: bool = False
    clustered: bool = False  # a replica is read by those who have said READONLY
    split_brain: str = "prefer"  # or refuse


class Roll:
    """The servers to ask."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._given: list[Place] = []
        self._learnt: dict[Place, float] = {}

    def give(self, places: Iterable[Place]) -> list[Place]:
        """Take *places* for those that are given; return all."""
        self._given = list(places)
        return self._all()

    def learn(self, followers: Iterable[Place], now: float) -> list[Place] | None:
        """Take the replicas that a master names at *now*; return all if that makes a difference."""
        before = list(self._learnt)
        if not self._manner.learn_replicas:
            self._learnt.clear()
            return self._all() if before else None
        self._learnt |= dict.fromkeys(followers, now)
        self._learnt = {place: then for place, then in self._learnt.items() if now - then < _MEMORY}
        return self._all() if list(self._learnt) != before else None

    def _all(self) -> list[Place]:
        return list(dict.fromkeys([*self._given, *self._learnt]))
