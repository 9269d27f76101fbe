"""Clients on their way between the engine and Python, and who lets them in and out."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from podmates_redis.clients.leases import Leases
from podmates_redis.marks import Follower
from podmates_redis.session.resting import Guest, Keepsake


class Rest(NamedTuple):
    """What the engine has left of a client."""

    unread: bytes = b""  # what it has sent, not used
    unsent: bytes = b""  # replies that it has not taken


class Arrival(NamedTuple):
    """A client that comes to Python."""

    descriptor: int
    guest: Guest
    kept: Keepsake
    where: bytes  # it is connected, as the engine has it
    rest: Rest
    follower: Follower | None


class Inlet(Protocol):
    """Who takes clients in."""

    most: int  # at a time

    def arrives(self, arrival: Arrival) -> None: ...


class Door(Protocol):
    """Who counts the clients; they are `Any` here, as their modules need this one."""

    leases: Leases

    @property
    def commons(self) -> Any: ...
    def left(self, client: Any) -> None: ...
    def parted(self, client: Any) -> None: ...
    def lighten(self) -> None: ...
