"""Where a session stands: a client of a cluster has a pair of connections for each shard. No I/O.

The law of this file
 1. What belongs to one shard (its connections, its follower, its marks) is in the session while it stands on
    that leg, and in the leg else; all other code knows one master and one replica.
 2. Who turns the session leaves it where it was found; requests are let in from the leg where it rests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

from podmates_redis.marks import Follower, Marks
from podmates_redis.session.shared import Shared
from podmates_redis.session.slots import Lane, Leg, Slot
from podmates_redis.session.transactions import Transaction


class Guide(Protocol):
    """Who leads the session of a client of a cluster."""

    rest: Leg
    later: list[Slot]  # what waits for its time

    @property
    def legs(self) -> Mapping[int, Leg]:
        """All of them, by the number of the shard."""

    def admit(self, slot: Slot) -> bool | None:
        """Turn to the leg for *slot*; True: it is answered; False: it has to wait; None: let it in."""

    def refuses(self, slot: Slot) -> bool:
        """Tell whether the error that *slot* got says that it has not run, and would elsewhere."""

    def refused(self, slot: Slot) -> bool | None:
        """Say what becomes of *slot*, which has not run: it goes on, it is answered, or (None) as ever."""

    def seal(self, slot: Slot, block: Transaction) -> None:
        """Send, before the EXEC *slot*, what makes it fail when what was watched cannot be told."""

    def resend(self) -> None:
        """The connection has refused something and owes nothing more: lead what is left on."""

    def again(self, slot: Slot) -> None:
        """Send *slot* once more, to its leg."""

    def toward(self, slot: Slot) -> None:
        """Turn to the leg on which another client's *slot* waits."""

    def pending(self) -> int:
        """Return how many commands wait for a connection."""

    def reset(self) -> None:
        """Close every connection."""

    def channel(self, name: bytes) -> bytes:
        """Return a sharded channel whose name begins with *name*, of the shard where the session stands."""

    def heard(self, data: bytes) -> bytes:
        """Return what the client may see now of *data* from a stream."""

    def total(self, frame: bytes) -> bytes:
        """Return an acknowledgement with the number of channels on all legs."""


class Standing:
    """What of a session is different on each leg; without a cluster there is one, and no object for it."""

    __slots__ = ("at_replica", "follower", "guide", "leg", "marks", "master", "replica", "shared", "writes")

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.marks: Marks = shared.marks
        self.master, self.replica = Lane(), Lane(reads=True)
        self.follower: Follower | None = None
        self.at_replica = 0  # 256 bits: hashes of keys read there and not answered
        self.writes: deque[Slot] = deque()  # marked, in the order of sending; answered ones go late
        self.leg: Leg | None = None
        self.guide: Guide | None = None

    def turn(self, leg: Leg | None) -> None:
        """Stand on *leg*; None: there are no legs."""
        here = self.leg
        if leg is here or leg is None:
            return
        if here is not None:
            here.follower, here.at_replica, here.writes = self.follower, self.at_replica, self.writes
        self.leg = leg
        self.shared, self.marks = leg.shared, leg.shared.marks
        self.master, self.replica = leg.master, leg.replica
        self.follower, self.at_replica, self.writes = leg.follower, leg.at_replica, leg.writes

    def rested(self) -> None:
        """Stand where the session rests."""
        if self.guide is not None:
            self.turn(self.guide.rest)

    def everywhere(self) -> Iterator[None]:
        """Stand on each leg in turn, then where the session stood before."""
        if self.guide is None:
            yield
            return
        here = self.leg
        for leg in list(self.guide.legs.values()):
            self.turn(leg)
            yield
        self.turn(here)

    def resting(self) -> Lane:
        """Return the connection to the master that the client's own state is with."""
        return self.master if self.guide is None else self.guide.rest.master

    def owed(self) -> bool:
        """Tell whether a master owes a reply."""
        if self.guide is None:
            return self.master.owed()
        return any(leg.master.owed() for leg in self.guide.legs.values())
