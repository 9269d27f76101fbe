"""Lets a client's requests in: decides for each who handles it, or that it has to wait. No I/O."""

from __future__ import annotations

from podmates_redis import connecting, splitting, texts, transacting
from podmates_redis.commands import Kind
from podmates_redis.plans import plan
from podmates_redis.requests import Request, encode
from podmates_redis.sending import Handler, after_reads, join, plain
from podmates_redis.session import IN_FLIGHT, Session
from podmates_redis.slots import Slot
from podmates_redis.transactions import AT_ONCE

_REFUSED = encode(b"PODMATES.REFUSED")  # no server knows it, so it spoils the transaction it stands in


def requests(session: Session, batch: list[Request]) -> None:
    """Take the requests that have come together, in order."""
    if session.quitting:
        return
    table = session.shared.table
    slots = [Slot(request, plan(table, request.args)) for request in batch]
    if len(slots) > 1:
        _foresee(slots)
    for slot in slots:
        session.held_bytes += len(slot.raw)
    session.held += slots
    proceed(session)


def broken(session: Session, line: bytes) -> None:
    """The stream is not the protocol: answer *line* after what is on its way, then close."""
    session.held.append(Slot(Request([b"quit"], line), plan(session.shared.table, [b"quit"])))
    session.held[-1].answer = line
    proceed(session)


def ended(session: Session) -> None:
    """The client sends nothing more; a server would not wait for what may never come either."""
    session.eof = True
    proceed(session)


def proceed(session: Session) -> None:
    """Let in what need not wait any longer."""
    progress = True
    while progress:
        _let_in_all(session)
        waiting = len(session.slots)
        session.release()
        # what waited for all before it to be answered may go now
        progress = bool(session.held) and len(session.slots) < waiting
    if session.eof and session.blocked is not None:
        session.abort = True
    elif session.eof and session.tunnel:
        session.closing, session.lingering = False, True


def _let_in_all(session: Session) -> None:
    held = session.held
    while held and not session.quitting and len(session.slots) < IN_FLIGHT and _let_in(session, held[0]):
        slot = held.popleft()
        session.held_bytes -= len(slot.raw)
    if session.quitting:
        held.clear()
        session.held_bytes = 0


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
    if session.blocked is not None or session.master.collecting:
        return False
    command = slot.plan.command
    if slot.kind not in (Kind.QUIT, Kind.FOREIGN) and not command.accepts(len(slot.args)):
        slot.kind, slot.marks = Kind.PLAIN, ()  # the server has the right words for it
    if (
        session.tunnel
        and slot.kind is not Kind.FOREIGN
        and not (session.monitoring and slot.kind is Kind.RESET)
    ):
        return connecting.tunnelled(session, slot)
    if command.administrative and not session.shared.policy.administrative:
        return _denied(session, slot)
    if session.transaction is not None and slot.kind not in AT_ONCE:
        return transacting.queued(session, slot, session.transaction)
    return _HANDLERS[slot.kind](session, slot)


def _denied(session: Session, slot: Slot) -> bool:
    slot.answer = texts.denied(slot.plan.command.name)
    slot.route = "denied"
    if session.transaction is not None and not session.transaction.doomed:
        slot.raw, slot.kind = _REFUSED, Kind.PLAIN
        slot.inside = True
        return plain(session, slot)
    join(session, slot)
    session.tell(slot, slot.answer)
    return True


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
    Kind.LOCAL: connecting.local,
    Kind.REPLY: connecting.reply,
    Kind.QUIT: connecting.quit,
    Kind.RESET: connecting.reset,
    Kind.FOREIGN: connecting.foreign,
}
