"""What all handlers of requests share: a place among the replies, and the way to the master. No I/O.

A handler gets a session and a slot; it sends or answers the slot, or returns False: it has to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from podmates_redis.commands.plans import plan
from podmates_redis.commands.table import Command, Kind
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.wire import texts
from podmates_redis.wire.requests import Request, encode

Handler = Callable[[Session, Slot], bool]

_ALL_BITS = (1 << 256) - 1


def join(session: Session, slot: Slot) -> None:
    """Give *slot* its place among the replies."""
    if session.muted or session.skip:
        slot.mute, session.skip = True, False
    slot.leg = session.leg
    session.slots.append(slot)
    session.weight += slot.weight


def before(session: Session, *words: bytes) -> Slot:
    """Have the master run *words* first, whose reply nobody is shown."""
    found = Slot(Request(list(words), encode(*words)), plan(session.shared.table, list(words)))
    found.kind, found.mute, found.own = Kind.PLAIN, True, True
    found.since, found.leg = session.shared.clock(), session.leg
    session.slots.append(found)
    session.to_master(found)
    return found


def also(session: Session, slot: Slot, words: list[bytes], *more: list[bytes]) -> None:
    """Let *slot*, which is let in next, be about *words* only, and requests like it about *more* follow."""
    before, name = len(slot.raw), slot.args[0]
    parts = [Slot(Request([name, *rest], encode(name, *rest)), slot.plan) for rest in more]
    slot.args, slot.raw = [name, *words], encode(name, *words)
    for place, part in enumerate(parts, 1):
        part.since, part.own = slot.since, True
        session.held.insert(place, part)
    session.held_bytes += len(slot.raw) - before + sum(len(part.raw) for part in parts)


def refused(session: Session, command: Command) -> bool:
    """Tell whether *command* is not for clients."""
    return command.denied or (command.administrative and not session.shared.policy.administrative)


def denied(session: Session, command: Command) -> bytes:
    """Return what the master would say of a command that it does not allow this client."""
    return texts.denied(command.name, session.user(), session.shared.dialect)


def plain(session: Session, slot: Slot) -> bool:
    """Send *slot* to the master, unless it is only made ready."""
    if slot.dry:
        return True
    join(session, slot)
    session.to_master(slot)
    return True


def say(session: Session, slot: Slot, make: Callable[[], bytes], ask: bytes = b"") -> bool:
    """Answer here, unless the master has to be asked first.

    It has to where a login of the client's own says what it may do, and until it has said how it does things.

    *ask* is what it is asked, if not the very command: something that does nothing there.
    """
    if slot.dry or session.shared.policy.passthrough or not session.shared.learnt:
        slot.raw = ask or slot.raw
        ours = bool(ask)  # an error that says nothing of what the client has asked
        slot.then = lambda reply: reply if _is_final(reply, ours) else make()
        return plain(session, slot)
    join(session, slot)
    session.tell(slot, make())
    return True


def _is_final(reply: bytes, ours: bool) -> bool:
    """Tell whether the client is to see what the master has said to a question in place of its command."""
    return reply[:5] in (b"-NOAU", b"-NOPE") or (reply[:1] == b"-" and not ours)


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
    slot_of = session.marks.slot
    return [slot_of(database, key) for database in session.databases for key in keys]


def bits_of(marks: Iterable[int] | None) -> int:
    if marks is None:
        return _ALL_BITS
    bits = 0
    for place in marks:
        bits |= 1 << (place & 255)
    return bits
