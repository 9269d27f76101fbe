"""Large requests that pass on to the master while they come, so that they are never held whole. No I/O.

The law of this file
 1. Only writes whose first key is here pass so; where other keys are to come, every key is marked.
 2. What has passed is not kept: it cannot be sent again. A master that refuses it says so to the client, and
    a client whose master is lost meanwhile is closed.
 3. Nothing else of the client is let in before its end, and its time counts from there.
"""

from __future__ import annotations

from dataclasses import replace

from podmates_redis.commands.families import UPLOADS
from podmates_redis.commands.plans import Plan, plan
from podmates_redis.commands.table import Command, Kind
from podmates_redis.session import losing, transacting
from podmates_redis.session.sending import join, marks_of, refused
from podmates_redis.session.session import IN_FLIGHT, Session
from podmates_redis.session.slots import Slot
from podmates_redis.wire.requests import Begun, Request


def begin(session: Session, begun: Begun) -> bool | None:
    """Begin to pass a request on; False: it has to be here whole; None: ask again a little later."""
    if session.quitting:
        return True  # to nobody
    if session.guide is not None:
        return False  # its shard may be another one before its end is here
    if session.guide is not None:
        return False  # a server of a cluster may send it elsewhere
    found = plan(session.shared.table, begun.args)
    if not _may_pass(session, found.command, begun.total):
        return False
    if session.held or session.replica.queue or session.stopped():
        return None
    if session.shared.pause.on or len(session.slots) >= IN_FLIGHT:
        return None
    _send(session, begun, found)
    return True


def _may_pass(session: Session, command: Command, count: int) -> bool:
    if command.name not in UPLOADS or command.kind not in (Kind.WRITE, Kind.PLAIN):
        return False
    return command.accepts(count) and not refused(session, command) and not session.tunnel


def _send(session: Session, begun: Begun, found: Plan) -> None:
    command = found.command
    if command.name == "set":
        command = replace(command, acquires=True)  # by options that may be behind the value
    keys = found.keys if command.first == command.last else None
    slot = Slot(Request(begun.args, begun.raw), Plan(command, keys))
    slot.uploaded, slot.since = True, session.shared.clock()
    session.upload, session.calling = slot, command.label
    session.shared.budget.earn(1)
    transaction = session.transaction
    if transaction is not None:
        transaction.whole = False
        transacting.queued(session, slot, transaction)
        return
    if slot.kind is Kind.WRITE:
        slot.marks = marks_of(session, slot)
    join(session, slot)
    session.to_master(slot)


def go_on(session: Session, pieces: list[bytes], *, ended: bool) -> None:
    """Pass on what has come."""
    slot = session.upload
    if slot is None:
        return
    if ended:
        session.upload, slot.since = None, session.shared.clock()
    if slot.done:
        return  # answered before it was here, so nobody waits for it
    if slot.sent:
        session.master.out += pieces
    else:
        slot.raw += b"".join(pieces)


def drop(session: Session) -> None:
    """The rest of it never comes: it did not run, and its connection is of no use any more."""
    slot, session.upload = session.upload, None
    if slot is None or slot.done:
        return
    session.slots.remove(slot)
    session.master.queue.remove(slot)
    session.settle(slot)
    if slot.sent:
        session.master.collecting = True
        if not session.master.owed():
            losing.resend(session)
