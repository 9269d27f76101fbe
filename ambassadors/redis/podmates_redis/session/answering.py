"""Gives what servers send to the requests it answers. No I/O."""

from __future__ import annotations

from podmates_redis.commands.table import Kind, Use
from podmates_redis.session import barred, frames, losing, refusals, routing, scripting
from podmates_redis.session.finishing import finish
from podmates_redis.session.session import STREAM, Session
from podmates_redis.session.slots import Slot, dropped
from podmates_redis.session.transacting import begin_again, spoil
from podmates_redis.wire import texts
from podmates_redis.wire.replies import ERROR, Part, absent, first_word

# to those who wait at a master that becomes a replica; CLIENT UNBLOCK says it in other words
_STATE_CHANGED = texts.UNBLOCKED.partition(b"(")[0]
# errors that follow from the data, which a replica that may be asked has
_RESULTS = frozenset([b"WRONGTYPE"])
_KILLED = b"cript killed by user"


def master_data(session: Session, parts: list[Part]) -> None:
    """Take what the master's connection has brought."""
    for part in parts:
        if session.master.drop:
            break
        _master_part(session, part)
    routing.proceed(session)


def tunnelled(session: Session, data: bytes) -> None:
    """Take bytes that belong to no request of ours."""
    if session.tunnel_wrote:
        session.marks.mark(None)
    session.marks.acquire()
    session.tunnel_heard = True
    session.output.append(data if session.guide is None else session.guide.heard(data))
    routing.proceed(session)


def replica_data(session: Session, parts: list[Part]) -> None:
    """Take what the replica's connection has brought."""
    for part in parts:
        if session.replica.drop:
            break
        _replica_part(session, part)
    routing.proceed(session)


def finish_errand(session: Session, done: bool) -> None:
    """The replicas were told what the master had no use for; *done* tells whether one of them had."""
    slot, session.errand = session.errand, None
    if slot is not None:
        if done:
            session.forget(slot)
            session.keep(slot, texts.OK)
        finish(session, slot)
    routing.proceed(session)


def _master_part(session: Session, part: Part) -> None:
    if session.master.frame is not None or frames.begins(session, part):
        reply = frames.take(session, part)
        if reply is None:
            return
        part = reply
    _reply_part(session, part)


def _reply_part(session: Session, part: Part) -> None:
    lane = session.master
    if not lane.owed():  # nothing was asked: whose reply would come next?
        session.abort = True
        return
    slot = lane.queue[0]
    if slot.done:  # nobody waits for this one
        if part.end:
            lane.queue.popleft()
            if lane.collecting and not lane.owed():
                _resend(session)
        return
    session.keep(slot, part.data)
    if not part.end:
        if lane.collecting or slot.size <= STREAM or slot is not session.slots[0]:
            return
        session.release()
        return
    if slot is session.upload:
        session.quitting = True  # refused before it was here: a server reads no more of such a client
    if _refused(session, slot) or lane.collecting:
        _collect(session, slot)
        return
    if slot.plan.command.script is Use.DIGEST and scripting.repair(session, slot):
        return
    lane.queue.popleft()
    finish(session, slot)


def _refused(session: Session, slot: Slot) -> bool:
    """Tell whether the reply means that the command has to be sent again, to a better master."""
    if slot.parts[0][0] != ERROR or slot.streamed:
        return False
    if _unblocked(slot):
        session.suspect = True
        return losing.rest_of(session, slot) is not None
    if not _not_run(session, slot) or slot.answer is not None:
        return False
    if session.guide is not None and (told := session.guide.refused(slot)) is not None:
        return told
    session.suspect = True
    if slot.inside:
        return slot.block is not None and (begin_again(session, slot.block) or spoil(slot, slot.block))
    if slot.uploaded:
        return False
    slot.refusal = slot.parts[0]
    waited = session.shared.clock() - session.since(slot)
    return slot.kind is not Kind.EXEC and waited <= session.shared.policy.failover_wait


def _not_run(session: Session, slot: Slot) -> bool:
    """Tell whether the server has said that it did not run *slot*, and not because of what it asks."""
    guide = session.guide
    return refusals.not_run(slot, slot.parts[0]) or (guide is not None and guide.refuses(slot))


def _unblocked(slot: Slot) -> bool:
    """Tell whether a wait ended because its server is a master no more."""
    line = slot.parts[0]
    return slot.kind is Kind.BLOCKING and not slot.inside and line.startswith(_STATE_CHANGED)


def _goes_again(session: Session, slot: Slot) -> bool:
    """Tell whether *slot* belongs to a transaction that is being collected; EXEC ends that."""
    block = slot.block
    if block is None or not block.again:
        return False
    if slot.kind is not Kind.EXEC:
        return True
    block.again, session.open = False, False
    block.rounds += 1
    if first_word(slot.parts[0]) == b"EXECABORT" or _not_run(session, slot):
        return True
    session.abort = True  # it ran after all
    return False


def _collect(session: Session, slot: Slot) -> None:
    """Take a reply of a connection that has refused a command: nothing behind that one may overtake it."""
    lane = session.master
    lane.collecting = True
    lane.queue.popleft()
    refused = slot.parts[0][0] == ERROR and _not_run(session, slot)
    if refused:
        slot.refusal = slot.parts[0]
    # in a cluster a write behind a read may have run, which the read is not to see
    reads = slot.kind is Kind.READ and session.guide is None
    alone = not (slot.inside or slot.uploaded) and (refused or reads)
    if _unblocked(slot) and losing.resume(session, slot):
        lane.queue.append(slot)
    elif not slot.streamed and (_goes_again(session, slot) or alone):
        session.forget(slot)
        slot.sent = False
        lane.queue.append(slot)  # behind those that are still owed, in the old order
    else:
        finish(session, slot)
    if not lane.owed():
        _resend(session)


def _resend(session: Session) -> None:
    if session.guide is not None:
        session.guide.resend()
    else:
        losing.resend(session)


def _replica_part(session: Session, part: Part) -> None:
    lane = session.replica
    if not lane.owed():
        losing.replica_lost(session)
        return
    slot = lane.queue[0]
    if not slot.streamed and not slot.parts and part.data[0] == ERROR:
        _replica_error(session, slot, part.data)
        return
    if session.guide is not None and slot.args and not slot.parts and not slot.streamed and absent(part.data):
        _look_at_master(session, slot)
        slot = session.replica.queue[0]
    if slot.args:
        session.keep(slot, part.data)
    slot.streamed = slot.streamed or not slot.args  # so that no later part is taken for an error
    if part.end:
        _replica_answered(session, slot)
    elif slot.size > STREAM and session.slots[0] is slot:
        session.release()


def _look_at_master(session: Session, slot: Slot) -> None:
    """The replica of a shard finds nothing, as it does when the slot is about to move and the key has."""
    session.replica.queue[0] = dropped(slot)
    session.to_master(slot, "absent")


def _replica_answered(session: Session, slot: Slot) -> None:
    session.replica.queue.popleft()
    if not session.replica.queue:
        session.at_replica = 0
    if slot.args:
        finish(session, slot)


def _replica_error(session: Session, slot: Slot, error: bytes) -> None:
    """A replica's error may be its own: let the master say it, or answer."""
    word = first_word(error)
    if slot.done or word in _RESULTS or (slot.script() and _KILLED in error):
        _replica_result(session, slot, error)
        return
    session.shared.tally.retries[word.decode("ascii", "replace").lower()[:16]] += 1
    if word == b"NOSCRIPT" and slot.args and scripting.teach(session, slot):
        return
    if error.startswith(barred.WORDS):
        slot.shut_out = session.follower
    if word == b"READONLY" and slot.args:
        _misjudged(session, slot)
    elif not slot.args or refusals.not_now(slot, error):
        session.suspect = True
        losing.replica_lost(session)
        return
    session.replica.queue.popleft()
    session.to_master(slot, "retry")
    if not session.replica.queue:
        session.at_replica = 0


def _replica_result(session: Session, slot: Slot, error: bytes) -> None:
    if slot.args:
        session.keep(slot, error)
    _replica_answered(session, slot)


def _misjudged(session: Session, slot: Slot) -> None:
    """What was sent as a read is a write to the replica: it stays with the master from now on."""
    if slot.plan.command.script is Use.NONE and slot.plan.command.name not in ("fcall_ro", "fcall"):
        session.shared.misjudged.add(slot.plan.command.name)
