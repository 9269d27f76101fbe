"""What becomes of requests whose connection is gone. No I/O.

Each slot gets exactly one reply, or the client is closed: never a reply of another request.
"""

from __future__ import annotations

from collections import deque

from podmates_redis import texts
from podmates_redis.commands import Kind
from podmates_redis.connecting import leave_tunnel
from podmates_redis.finishing import finish
from podmates_redis.routing import proceed
from podmates_redis.session import TRIES, Session
from podmates_redis.slots import Slot
from podmates_redis.transactions import Transaction

# can run twice without anybody noticing
_REPEATABLE = frozenset([Kind.READ, Kind.STATE, Kind.WATCH, Kind.UNWATCH])
_REPEATABLE_PLAIN = frozenset(["info", "time", "role", "lastsave", "command", "ping", "echo"])


def resend(session: Session) -> None:
    """The connection refused something and owes nothing more: take what is left to another one."""
    _abandon(session)
    session.master.drop = True


def master_lost(session: Session) -> None:
    """The connection to the master is gone, whatever it still owed with it."""
    _abandon(session)
    proceed(session)


def master_moved(session: Session) -> bool:
    """Another server is the master now; True when the old connection still owes replies.

    Those may come for a while: the shell calls `master_lost` when it has waited long enough.
    """
    if _holds_state(session):
        session.abort = True
        return False
    if session.master.owed():
        session.master.collecting = True
        return True
    resend(session)
    proceed(session)
    return False


def _abandon(session: Session) -> None:
    lane = session.master
    lane.close()
    lane.drop = False
    waiting, lane.queue = lane.queue, deque()
    if session.tunnel:
        session.closing = session.quitting = True
        leave_tunnel(session)
    elif _holds_state(session):
        session.abort = True
    transaction = Transaction(doomed=True) if session.open else None
    for slot in waiting:
        transaction = _lost(session, slot, transaction)
    if session.transaction is not None and transaction is not None:
        session.transaction = transaction
    if session.watched and session.transaction is None:
        session.watch_lost = True
    session.watched = session.open = False


def _holds_state(session: Session) -> bool:
    """Tell whether the connection held what cannot be made again."""
    return session.pinned or session.tunnel or session.subscriptions.active() or session.subscribing > 0


def _lost(session: Session, slot: Slot, transaction: Transaction | None) -> Transaction | None:
    """Settle one slot of a lost connection; return the transaction it leaves open there."""
    if slot.streamed or (slot.kind is Kind.EXEC and slot.sent):
        session.abort = True  # it may have run, and no error says so to every client library
    elif transaction is not None:
        _answer(session, slot, transaction.told(slot.kind, session.state.protocol))
        return None if slot.kind in (Kind.EXEC, Kind.DISCARD) else transaction
    elif slot.kind is Kind.MULTI and slot.sent:
        _answer(session, slot, texts.OK)
        return Transaction(doomed=True)
    elif not slot.sent or (_repeatable(slot) and slot.tries < TRIES):
        session.forget(slot)
        slot.sent, slot.tries = False, slot.tries + 1
        session.master.queue.append(slot)
    else:
        unblocked = slot.kind is Kind.BLOCKING and slot.plan.command.name not in ("wait", "waitaof")
        _answer(session, slot, texts.UNBLOCKED if unblocked else texts.LOST)
    return transaction


def _repeatable(slot: Slot) -> bool:
    return slot.kind in _REPEATABLE or slot.plan.command.name in _REPEATABLE_PLAIN


def _answer(session: Session, slot: Slot, reply: bytes) -> None:
    """Answer *slot* here; what it may have done counts as done now."""
    session.forget(slot)
    session.keep(slot, reply)
    if slot.generation:
        session.marks.mark(slot.marks)
    finish(session, slot)


def replica_lost(session: Session) -> None:
    """The connection to the replica is gone: its reads go to the master, in their order."""
    lane = session.replica
    lane.close()
    waiting, lane.queue = lane.queue, deque()
    session.at_replica = 0
    for slot in waiting:
        if not slot.args:
            continue
        if slot.streamed:
            session.abort = True
        session.forget(slot)
        session.to_master(slot, "retry")
    proceed(session)


def give_up(session: Session, starting: bool, serving: bool) -> None:
    """Nobody to write to within the time: answer what waits for a master.

    *starting*: no master was ever known. *serving*: a replica answers reads.
    """
    lane = session.master
    waiting, lane.queue = lane.queue, deque()
    for slot in waiting:
        if slot.sent:
            lane.queue.append(slot)
            continue
        if slot.streamed:
            session.abort = True
        if slot.kind is Kind.WATCH:
            session.watching = session.watched
        _answer(session, slot, _why(slot, starting, serving))
    proceed(session)


def _why(slot: Slot, starting: bool, serving: bool) -> bytes:
    if starting:
        return texts.LOADING
    return texts.MASTER_DOWN if slot.kind is Kind.READ or not serving else texts.READ_ONLY
