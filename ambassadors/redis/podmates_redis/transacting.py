"""Commands of transactions, and those that stand inside one. No I/O."""

from __future__ import annotations

from podmates_redis import texts
from podmates_redis.commands import Kind
from podmates_redis.requests import encode
from podmates_redis.sending import join, marks_of, plain
from podmates_redis.session import Session
from podmates_redis.slots import Slot
from podmates_redis.transactions import Transaction

_HARMLESS_IN_MULTI = encode(b"CLIENT", b"REPLY", b"NOT-IN-MULTI")


def multi(session: Session, slot: Slot) -> bool:
    if session.transaction is not None:
        return _inside(session, slot, session.transaction)
    session.transaction = Transaction(doomed=session.watch_lost, unwatched=session.watch_lost)
    if session.watch_lost:
        join(session, slot)
        session.tell(slot, texts.OK)
        return True
    session.transaction.whole = not session.watching
    _note(slot, session.transaction)
    return plain(session, slot)


def _note(slot: Slot, transaction: Transaction) -> None:
    slot.block = transaction
    if transaction.whole:
        transaction.note(slot.kind, slot.args, slot.raw)


def _inside(session: Session, slot: Slot, transaction: Transaction) -> bool:
    """Send what belongs to an open transaction, or answer it when the transaction is doomed."""
    slot.inside = True
    if not transaction.doomed:
        _note(slot, transaction)
        return plain(session, slot)
    join(session, slot)
    session.tell(slot, transaction.told(slot.kind, session.state.protocol))
    return True


def queued(session: Session, slot: Slot, transaction: Transaction) -> bool:
    if slot.kind is Kind.REPLY:
        slot.raw = _HARMLESS_IN_MULTI  # it would swallow parts of EXEC's reply
    writes = slot.kind in (Kind.WRITE, Kind.BLOCKING)
    transaction.add(slot.kind, marks_of(session, slot) if writes else [])
    _inside(session, slot, transaction)
    slot.why = "transaction" if slot.kind is Kind.READ else ""
    return True


def finish_transaction(session: Session, slot: Slot) -> bool:
    if session.transaction is not None and session.transaction.tunnels and slot.kind is Kind.EXEC:
        return _into_tunnel(session, slot)
    transaction, session.transaction = session.transaction, None
    if transaction is not None or slot.kind is Kind.UNWATCH:
        session.watching = session.watch_lost = False
    if transaction is None:
        return plain(session, slot)
    if transaction.doomed or slot.kind is Kind.DISCARD:
        return _inside(session, slot, transaction)
    join(session, slot)
    slot.marks = None if transaction.everything else tuple(transaction.marks)
    session.pinned = session.pinned or transaction.opaque
    _note(slot, transaction)
    session.to_master(slot)
    return True


def _into_tunnel(session: Session, slot: Slot) -> bool:
    """Send an EXEC after which the master says more than one reply."""
    if session.slots:
        return False
    session.tunnel = session.tunnel_wrote = True
    session.transaction = None
    session.marks.mark(None)
    session.master.out.append(slot.raw)
    return True


def watch(session: Session, slot: Slot) -> bool:
    if session.transaction is not None:
        return _inside(session, slot, session.transaction)
    session.watching = True
    return plain(session, slot)
