"""What all handlers of requests share: a place among the replies, and the way to the master. No I/O.

A handler gets a session and a slot; it sends or answers the slot, or returns False: it has to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from podmates_redis.marks import Marks
from podmates_redis.session import Session
from podmates_redis.slots import Slot

Handler = Callable[[Session, Slot], bool]

_ALL_BITS = (1 << 256) - 1


def join(session: Session, slot: Slot) -> None:
    """Give *slot* its place among the replies."""
    if session.muted or session.skip:
        slot.mute, session.skip = True, False
    session.slots.append(slot)


def plain(session: Session, slot: Slot) -> bool:
    join(session, slot)
    session.to_master(slot)
    return True


def after_reads(handler: Handler) -> Handler:
    """Wait until no read is under way at the replica."""

    def wait(session: Session, slot: Slot) -> bool:
        return not session.replica.queue and handler(session, slot)

    return wait


def marks_of(session: Session, slot: Slot) -> list[int] | None:
    """Return the places of the slot's keys among the marks; None: any."""
    keys = slot.plan.keys
    if keys is None or slot.plan.command.everything:
        return None
    return [Marks.slot(database, key) for database in session.databases for key in keys]


def bits_of(marks: Iterable[int] | None) -> int:
    if marks is None:
        return _ALL_BITS
    bits = 0
    for place in marks:
        bits |= 1 << (place & 255)
    return bits
