"""What leading a client through a cluster needs. No I/O."""

from __future__ import annotations

from typing import Protocol

from podmates_redis.cluster.slotmap import Place
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Shared
from podmates_redis.session.slots import Leg, Slot


class Shard(Protocol):
    """One master and its replicas."""

    @property
    def number(self) -> int:
        """From 1, and never given twice."""

    @property
    def shared(self) -> Shared:
        """What sessions know of it."""


class Map(Protocol):
    """Who serves what, as far as is known."""

    def owner(self, slot: int) -> Shard:
        """Return who serves *slot*."""

    def home(self) -> Shard:
        """Return the shard for what names no key."""

    def all(self) -> list[Shard]:
        """Return every shard that serves slots."""

    def knows(self, place: Place) -> bool:
        """Tell whether a server of the cluster is at *place*, by all that it has said of itself."""

    def at(self, place: Place) -> Shard | None:
        """Return the shard with the server at *place*, if that can be known."""

    def moved(self, slot: int, place: Place) -> Shard | None:
        """Note that *slot* is served at *place*; return that shard."""

    def doubt(self) -> None:
        """Ask soon who serves which slots."""


class Lead(Protocol):
    """A session with its legs."""

    session: Session
    map: Map
    rest: Leg
    later: list[Slot]  # what goes on when `due` is over
    due: float  # seconds
    place: int  # the slot of the transaction's keys; below 0: not known yet
    watched: list[bytes]  # keys, all of one slot

    def stand(self, leg: Leg) -> bool | None:
        """Turn to *leg*, to let something in there: None, or False while it takes nothing."""

    def leg(self, shard: Shard) -> Leg:
        """Return the leg to *shard*."""

    def home(self) -> Leg:
        """Return the leg for what names no key."""

    def owner(self, slot: Slot) -> Leg | None:
        """Return the leg to who serves the first key of *slot*, if it names any."""

    def send(self, slot: Slot, leg: Leg, *before: Slot) -> None:
        """Send *slot* to *leg*, right behind *before*."""
