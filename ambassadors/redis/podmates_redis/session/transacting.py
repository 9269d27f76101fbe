"""Commands of transactions, and those that stand inside one. No I/O."""

from __future__ import annotations

from podmates_redis.commands.table import Kind, Use
from podmates_redis.session import pausing, results
from podmates_redis.session.sending import join, marks_of, plain
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.transactions import ROUNDS, Transaction
from podmates_redis.wire import texts
from podmates_redis.wire.requests import Request, encode

_REFUSED = encode(b"PODMATES.REFUSED")  # no server knows it, so it spoils the transaction it stands in


def multi(session: Session, slot: Slot) -> bool:
    if session.transaction is not None:
        return _inside(session, slot, session.transaction)
    lost = session.watch_lost
    session.transaction = Transaction(doomed=lost, unwatched=lost, watched=session.watching)
    if lost:
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
    if not transaction.doomed and not results.prepare(session, slot):
        return False
    transaction.special = transaction.special or slot.result is not None
    if slot.kind is Kind.STATE and slot.args[0].lower() == b"select" and slot.args[1].isdigit():
        transaction.databases.add(int(slot.args[1]))
    writes = slot.kind in (Kind.WRITE, Kind.BLOCKING)
    transaction.add(slot.kind, marks_of(session, slot) if writes else [])
    transaction.flushes = transaction.flushes or slot.plan.command.script is Use.FLUSH
    transaction.writes = transaction.writes or pausing.writes(slot, session.shared.scripts)
    _inside(session, slot, transaction)
    slot.why = "transaction" if slot.kind is Kind.READ else ""
    return True


def replayed(block: Transaction, like: Slot, count: int) -> list[Slot]:
    """Return the first *count* requests of *block* once more, for nobody to see the replies."""
    found = []
    block.queued = 0
    for kind, args, raw in block.requests[:count]:
        silent = Slot(Request(args, raw), like.plan)
        silent.kind, silent.inside, silent.route = kind, kind is not Kind.MULTI, "master"
        silent.block, silent.since, silent.hops = block, like.since, block.rounds
        found.append(silent)
    return found


def spoil(slot: Slot, block: Transaction) -> bool:
    """Let EXEC say that nothing ran: a client that talks to one server never hears of its demotion."""
    slot.answer, block.spoilt = texts.QUEUED, True
    return False


def begin_again(session: Session, block: Transaction) -> bool:
    """Queue what has been answered of a transaction that cannot run; its client hears nothing of that."""
    if block.again:
        return True
    queue = session.master.queue
    owed = [slot.kind for slot in queue if slot.block is block]
    if Kind.EXEC not in owed or not block.may_go_again(1 if session.guide is None else ROUNDS):
        return False  # its client waits for a reply before it goes on, so it has to hear what happened
    queue.extend(replayed(block, queue[0], len(block.requests) - len(owed)))
    block.again = True
    return True


def poison(session: Session, slot: Slot, answer: bytes) -> bool:
    """Answer *slot* inside a transaction by *answer*, and let EXEC fail, as after any error."""
    slot.answer, slot.route = answer, "denied"
    slot.raw, slot.kind = _REFUSED, Kind.PLAIN
    if session.transaction is None or session.transaction.doomed:
        join(session, slot)
        session.tell(slot, answer)
        return True
    return _inside(session, slot, session.transaction)


def finish_transaction(session: Session, slot: Slot) -> bool:
    if session.transaction is not None and session.transaction.tunnels and slot.kind is Kind.EXEC:
        return _into_tunnel(session, slot)
    transaction, session.transaction = session.transaction, None
    if transaction is not None or slot.kind is Kind.UNWATCH:
        session.watching = session.watch_lost = False
        session.watches.clear()
    if transaction is None:
        return plain(session, slot)
    if transaction.doomed or slot.kind is Kind.DISCARD:
        return _inside(session, slot, transaction)
    join(session, slot)
    slot.marks = None if transaction.everything else tuple(transaction.marks)
    session.pinned = session.pinned or transaction.opaque
    if transaction.special:
        session.unsettled += 1
        session.databases = session.databases | transaction.databases
        slot.then = lambda reply: results.exec_reply(session, transaction, reply)
    if session.guide is not None and transaction.watched:
        session.guide.seal(slot, transaction)
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
