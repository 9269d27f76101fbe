"""Who has connections to the servers, and has to move them when one changes its part."""

from __future__ import annotations

from typing import Protocol

from podmates_redis.marks import Follower


class Dependent(Protocol):
    """One of them."""

    def master_moved(self) -> None: ...
    def eject(self, follower: Follower) -> None: ...
    def fail(self, error: Exception) -> None: ...


class Dependents(set[Dependent]):
    """All of them; they may come and go while they are told."""

    def master_moved(self) -> None:
        for one in list(self):
            try:
                one.master_moved()
            except Exception as error:  # the others have to be told, too
                one.fail(error)

    def eject(self, follower: Follower) -> None:
        for one in list(self):
            try:
                one.eject(follower)
            except Exception as error:
                one.fail(error)
