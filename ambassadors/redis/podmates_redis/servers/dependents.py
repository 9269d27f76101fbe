"""Who has connections to the servers, and has to move them when one changes its part."""

from __future__ import annotations

from typing import Protocol

from podmates_redis.marks import Follower


class Dependent(Protocol):
    """One of them."""

    def master_moved(self) -> None: ...
    def eject(self, follower: Follower) -> None: ...


class Dependents(set[Dependent]):
    """All of them; they may come and go while they are told."""

    def master_moved(self) -> None:
        for one in list(self):
            one.master_moved()

    def eject(self, follower: Follower) -> None:
        for one in list(self):
            one.eject(follower)
