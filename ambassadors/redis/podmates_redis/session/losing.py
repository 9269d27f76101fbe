"""What becomes of requests whose connection is gone. No I/O.

Each slot gets exactly one reply, or the client is closed: never a reply of another request.
"""

from __future__ import annotations

from collections import deque

from podmates_redis.commands.table import Kind
from podmates_redis.session import splitting
from podmates_redis.session.connecting import leave_tunnel
from podmates_redis.session.finishing import finish
from podmates_redis.session.routing import proceed
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.transactions import Transaction
from podmates_redis.session.waiting import rest
from podmates_redis.wire import texts
from podmates_redis.wire.requests import encode

# can run twice without anybody noticing
_REPEATABLE = frozenset([Kind.READ, Kind.STATE, Kind.WATCH, Kind.UNWATCH, Kind.CLIENT])
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


def timed_out(session: Session, before: float) -> None:
    """What was here *before* has had its time: say so, and use its connection no more."""
    lane = session.replica
    late = [slot for slot in lane.queue if slot.args and session.since(slot) <= before]
    if late:
        gone = set(late)
        session.suspect = True
        lane.queue = deque(slot for slot in lane.queue if slot not in gone)
        for slot in late:
            _too_late(session, slot)
        replica_lost(session)
    if any(session.since(slot) <= before for slot in session.master.queue):
        session.suspect = True
        _abandon(session, before)
        session.master.drop = True
    proceed(session)


def transaction_idle(session: Session) -> None:
    """The client holds a transaction or a watch and does nothing: let go of it, as if its server had gone."""
    session.rested()
    if session.master.up and not _holds_state(session):
        _abandon(session)
        session.master.drop = True


def _too_late(session: Session, slot: Slot) -> None:
    if slot.streamed:
        session.abort = True
        return
    answer(session, slot, slot.refusal or texts.TIMED_OUT)


def _abandon(session: Session, before: float = float("-inf")) -> None:
    lane, bound = session.master, session.guide is None or session.guide.rest is session.leg
    lane.close()
    lane.drop = False
    waiting, lane.queue = lane.queue, deque()
    if session.tunnel:
        session.because("upstream")
        session.closing = session.quitting = True
        leave_tunnel(session)
    elif _holds_state(session):
        session.abort = True
    transaction = Transaction(doomed=True) if session.open and bound else None
    for slot in waiting:
        if not slot.done:
            transaction = _lost(session, slot, transaction, before)
    if not bound:
        return
    if session.transaction is not None and transaction is not None:
        session.transaction = transaction
    if session.watched and session.transaction is None:
        session.watch_lost = True
    session.watched = session.open = False


def _holds_state(session: Session) -> bool:
    """Tell whether the connection held what cannot be made again."""
    if session.leg is not None and not session.leg.holds:
        return False
    return session.pinned or session.tunnel or session.subscriptions.active() or session.subscribing > 0


def _lost(session: Session, slot: Slot, transaction: Transaction | None, before: float) -> Transaction | None:
    """Settle one slot of a lost connection; return the transaction it leaves open there."""
    if slot.streamed or (slot.sent and (slot.kind is Kind.EXEC or slot is session.upload)):
        session.abort = True  # it may have run, and no error says so to every client library
    elif transaction is not None:
        answer(session, slot, transaction.told(slot.kind, session.state.protocol))
        return None if slot.kind in (Kind.EXEC, Kind.DISCARD) else transaction
    elif slot.kind is Kind.MULTI and slot.sent:
        answer(session, slot, texts.OK)
        return Transaction(doomed=True)
    elif session.since(slot) <= before and slot.kind is not Kind.BLOCKING:
        _too_late(session, slot)
    elif not slot.sent or (_repeatable(slot) and _again(session, slot)):
        session.forget(slot)
        slot.sent = False
        session.master.queue.append(slot)
    elif session.shared.policy.close_on_unknown:
        session.abort = True
    else:
        unblocked = slot.kind is Kind.BLOCKING and not slot.plan.command.counts
        answer(session, slot, texts.UNBLOCKED if unblocked else texts.LOST)
    return transaction


def rest_of(session: Session, slot: Slot) -> list[bytes] | None:
    """Return the words by which the wait of *slot* goes on at the next master, if it may."""
    if not session.shared.policy.resume_waits or slot.streamed:
        return None
    return rest(slot.args, session.shared.clock() - slot.since)


def resume(session: Session, slot: Slot) -> bool:
    """Let a wait that its server has ended go on at the next one; False when its client has to hear of it.

    Only what the server has said to be over: one whose connection was lost may have been given an element.
    """
    words = rest_of(session, slot)
    if words is None:
        return False
    session.forget(slot)
    slot.args, slot.raw = words, encode(*words)
    slot.since, slot.sent = session.shared.clock(), False
    return True


def _again(session: Session, slot: Slot) -> bool:
    """Count one more try of *slot*; False when it has had its tries, or the whole process its retries."""
    slot.tries += 1
    return slot.tries <= session.shared.policy.retries and session.shared.budget.spend()


def _repeatable(slot: Slot) -> bool:
    return slot.kind in _REPEATABLE or slot.plan.command.name in _REPEATABLE_PLAIN


def answer(session: Session, slot: Slot, reply: bytes) -> None:
    """Answer *slot* here; what it may have done counts as done now."""
    session.forget(slot)
    session.keep(slot, reply)
    if slot.generation:
        session.marks.mark(slot.marks)
    finish(session, slot)


def replica_lost(session: Session) -> None:
    """The connection to the replica is gone: its reads go to another, or to the master, in their order."""
    lane = session.replica
    lane.close()
    waiting, lane.queue = lane.queue, deque()
    session.at_replica = 0
    other = bool(waiting) and splitting.change_replica(session)
    for slot in waiting:
        if not slot.args:
            continue
        if slot.streamed:
            session.abort = True
        session.forget(slot)
        if slot.sent and not _again(session, slot):
            answer(session, slot, texts.LOST)
        elif not (other and splitting.read_again(session, slot)):
            session.to_master(slot, "retry")
    proceed(session)


def leave_replica(session: Session) -> bool:
    """Let the next read choose a replica anew; False while one is on its way."""
    if session.replica.queue:
        return False
    session.follow(None)
    session.replica.close()
    return True


def give_up(session: Session, words: bytes) -> None:
    """Nobody to write to within the time: answer what waits for a master with *words*."""
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
        read_only = words is texts.READ_ONLY and slot.kind is Kind.READ
        answer(session, slot, slot.refusal or (texts.MASTER_DOWN if read_only else words))
    proceed(session)


def nobody(starting: bool, serving: bool) -> bytes:
    """Return what to say when there is no master.

    *starting*: none was ever known. *serving*: a replica answers reads.
    """
    if starting:
        return texts.LOADING
    return texts.READ_ONLY if serving else texts.MASTER_DOWN


def stop_reading(session: Session) -> None:
    """The client is gone: read no replica any more, and wait for none."""
    for _ in session.everywhere():
        for slot in session.replica.queue:
            session.forget(slot)
            slot.done = slot.own = True
        session.replica.close()
        session.replica.queue.clear()
        if session.follower is not None:
            session.follower.clients -= 1
            session.follower = None


def bury(session: Session) -> None:
    """Nobody waits for the masters any more; a write whose reply is missing may still run."""
    for _ in session.everywhere():
        for slot in session.master.queue:
            if slot.generation:
                session.marks.mark(slot.marks)
                session.settle(slot)
        session.master.queue.clear()
        session.replica.queue.clear()
    if session.guide is not None:
        session.guide.later.clear()
    session.count_pending()
    session.shared.porch.leave(session)
