"""What some commands mean here, beside what the master makes of them. No I/O."""

from __future__ import annotations

from functools import partial

from podmates_redis.commands import families
from podmates_redis.session import clients, pausing
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot


def heed(session: Session, slot: Slot) -> None:
    """Note what *slot* says of its client, and have the master's reply tell of our clients or end some."""
    before, name = slot.then, slot.plan.command.name
    if name == "info" and session.shared.pause.on:
        make = partial(pausing.shown, session)
    elif name == "acl|deluser" and session.shared.policy.passthrough:
        make = partial(_deleted, session, slot)
    else:
        session.counting = session.counting or _looks_at_the_master(name, slot.args)
        return

    def then(reply: bytes) -> bytes | None:
        whole = before(reply) if before is not None else reply
        return whole if whole is None else make(whole)

    slot.then = then


def _looks_at_the_master(name: str, args: list[bytes]) -> bool:
    """Tell whether a client that sends this wants to see there what its own reads do."""
    return name in families.RESETTING or (
        name == "debug" and [word.lower() for word in args[1:2]] == [b"set-active-expire"]
    )


def _deleted(session: Session, slot: Slot, reply: bytes) -> bytes:
    """Close the clients of users that the master has deleted: it closes connections, which not all have."""
    now, gone = session.shared.clock(), set(slot.args[2:])
    for member in session.shared.roster if reply[:1] != b"-" else ():
        if member.facts(now)[b"user"] in gone:
            clients.end(session, member)
    return reply
