"""Lets a client's requests in: decides for each who handles it, or that it has to wait. No I/O."""

from __future__ import annotations

from podmates_redis.commands.plans import plan
from podmates_redis.commands.rewriting import rewritten
from podmates_redis.commands.table import Kind
from podmates_redis.session import (
    clients,
    connecting,
    heeding,
    overload,
    pausing,
    scripting,
    splitting,
    strangers,
    telling,
    transacting,
)
from podmates_redis.session.sending import Handler, after_reads, denied, plain, refused
from podmates_redis.session.session import IN_FLIGHT, Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.transactions import AT_ONCE
from podmates_redis.wire.requests import Request

_WEIGHT = 1024  # bytes that a request takes, its own bytes apart


def requests(session: Session, batch: list[Request]) -> None:
    """Take the requests that have come together, in order."""
    if session.quitting:
        return
    table = session.shared.table
    slots = [Slot(request, plan(table, request.args)) for request in batch]
    if session.shared.policy.rewrite_ro:
        for slot in slots:
            slot.replan(*rewritten(table, slot.args, slot.plan))
    if len(slots) > 1:
        _foresee(slots)
    now = session.shared.clock()
    session.shared.budget.earn(len(slots))
    for slot in slots:
        slot.since = now
        size = len(slot.raw)
        slot.weight = _WEIGHT + 2 * size
        session.held_bytes += size
        session.weight += slot.weight
    session.held += slots
    proceed(session)


def broken(session: Session, line: bytes) -> None:
    """The stream is not the protocol: answer *line* after what is on its way, then close."""
    session.held.append(Slot(Request([b"quit"], line), plan(session.shared.table, [b"quit"])))
    session.held[-1].answer, session.held[-1].own = line, True
    session.because("protocol")
    proceed(session)


def ended(session: Session) -> None:
    """The client sends nothing more; a server would not wait for what may never come either."""
    session.eof = True
    session.abort = session.abort or session.upload is not None
    proceed(session)


def proceed(session: Session) -> None:
    """Let in what need not wait any longer."""
    found, progress = session.leg, True
    while progress:
        _let_in_all(session)
        waiting = len(session.slots)
        session.release()
        # what waited for all before it to be answered may go now
        progress = bool(session.held) and len(session.slots) < waiting
    session.turn(found)
    if session.eof and (session.blocked or session.paused) is not None:
        session.because("left")
        session.abort = True
    elif session.eof and session.tunnel:
        session.closing, session.lingering = False, True


def _let_in_all(session: Session) -> None:
    held = session.held
    while held and not session.quitting and len(session.slots) < IN_FLIGHT and _let_in(session, held[0]):
        slot = held.popleft()
        session.held_bytes -= len(slot.raw)
        session.weight -= slot.weight
    if session.quitting:
        session.weight -= sum(slot.weight for slot in held)
        held.clear()
        session.held_bytes = 0
    session.count_pending()


def _foresee(slots: list[Slot]) -> None:
    """Mark the reads whose key is written later in the same batch: at a replica they would hold it up."""
    later: set[bytes] = set()
    everything = False
    for slot in reversed(slots):
        keys = slot.plan.keys
        if slot.kind is Kind.READ:
            slot.clash = everything or (bool(later) if keys is None else not later.isdisjoint(keys))
        elif slot.kind is Kind.WRITE and slot.plan.command.everything:
            everything = True
        elif slot.kind is Kind.WRITE and keys is not None:
            later.update(keys)


def _let_in(session: Session, slot: Slot) -> bool:
    """Send or answer *slot*; False when it has to wait."""
    session.rested()
    if session.stopped():
        return False
    command = slot.plan.command
    session.calling = command.label
    if not session.who or session.shared.porch.closed:
        admitted = strangers.admit(session, slot)
        if admitted is not None:
            return admitted
    if slot.kind not in (Kind.QUIT, Kind.FOREIGN) and not command.accepts(len(slot.args)):
        slot.kind, slot.marks = Kind.PLAIN, ()  # the server has the right words for it
    elif session.shared.pause.on and _knows(slot) and pausing.holds(session, slot):
        session.paused = slot
        return False
    session.paused = None
    if (
        session.tunnel
        and slot.kind is not Kind.FOREIGN
        and not (session.monitoring and slot.kind is Kind.RESET)
    ):
        return connecting.tunnelled(session, slot)
    if refused(session, command):
        return _denied(session, slot)
    if session.guide is not None and (admitted := session.guide.admit(slot)) is not None:
        return admitted
    if slot.kind is Kind.PLAIN or command.administrative:
        heeding.heed(session, slot)
    if session.transaction is not None and slot.kind not in AT_ONCE:
        return transacting.queued(session, slot, session.transaction)
    if session.shared.crowd.pending >= session.shared.policy.max_pending and overload.refuses(session, slot):
        return True
    return _HANDLERS[slot.kind](session, slot)


def _knows(slot: Slot) -> bool:
    """Tell whether the master knows the command, so that it is not refused out of hand."""
    command = slot.plan.command
    return command.name != "other" and not (command.container and len(slot.args) > 1)


def _denied(session: Session, slot: Slot) -> bool:
    return transacting.poison(session, slot, denied(session, slot.plan.command))


_HANDLERS: dict[Kind, Handler] = {
    Kind.READ: splitting.read,
    Kind.WRITE: splitting.write,
    Kind.PLAIN: plain,
    Kind.BLOCKING: after_reads(splitting.blocking),
    Kind.STATE: after_reads(connecting.state),
    Kind.MULTI: after_reads(transacting.multi),
    Kind.EXEC: transacting.finish_transaction,
    Kind.DISCARD: transacting.finish_transaction,
    Kind.WATCH: after_reads(transacting.watch),
    Kind.UNWATCH: transacting.finish_transaction,
    Kind.SUBSCRIBE: after_reads(connecting.subscribe),
    Kind.TUNNEL: connecting.tunnel,
    Kind.PIN: after_reads(connecting.pin),
    Kind.CLIENT: clients.own,
    Kind.LOCAL: connecting.local,
    Kind.SECTION: telling.section,
    Kind.REPLY: connecting.reply,
    Kind.KILL: scripting.kill,
    Kind.QUIT: connecting.quit,
    Kind.RESET: connecting.reset,
    Kind.FOREIGN: connecting.foreign,
}
