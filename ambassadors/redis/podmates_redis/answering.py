"""Gives what servers send to the requests it answers. No I/O."""

from __future__ import annotations

from podmates_redis import losing, routing
from podmates_redis.commands import Kind
from podmates_redis.finishing import finish
from podmates_redis.replies import ARRAY, ERROR, PUSH, Part, first_word, flat_strings
from podmates_redis.requests import Request
from podmates_redis.session import STREAM, TRIES, Session
from podmates_redis.slots import Slot
from podmates_redis.subscriptions import Frame
from podmates_redis.transactions import Transaction

# a server that says one of these has not run the command: it is not, or not yet, what we took it for
_NOT_RUN = frozenset([b"READONLY", b"LOADING", b"MASTERDOWN", b"REDIRECT"])


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
    session.output.append(data)
    routing.proceed(session)


def replica_data(session: Session, parts: list[Part]) -> None:
    """Take what the replica's connection has brought."""
    for part in parts:
        if session.replica.drop:
            break
        _replica_part(session, part)
    routing.proceed(session)


def _master_part(session: Session, part: Part) -> None:
    lane = session.master
    if lane.frame is not None or _is_frame(session, part):
        lane.frame = [*(lane.frame or []), part.data]
        if part.end:
            frame, lane.frame = b"".join(lane.frame), None
            _frame(session, frame)
        return
    _reply_part(session, part)


def _reply_part(session: Session, part: Part) -> None:
    lane = session.master
    if not lane.owed():  # nothing was asked: whose reply would come next?
        session.abort = True
        return
    slot = lane.queue[0]
    session.keep(slot, part.data)
    if not part.end:
        if lane.collecting or slot.size <= STREAM or slot is not session.slots[0]:
            return
        session.release()
        return
    if _refused(session, slot) or lane.collecting:
        _collect(session, slot)
        return
    lane.queue.popleft()
    finish(session, slot)


def _is_frame(session: Session, part: Part) -> bool:
    """Tell whether a reply that begins with *part* is one of publish and subscribe."""
    lane = session.master
    if lane.queue and (lane.queue[0].parts or lane.queue[0].streamed):
        return False
    first = part.data[0]
    if first == PUSH:
        return True
    expected = bool(lane.queue) and lane.queue[0].kind is Kind.SUBSCRIBE and not lane.queue[0].inside
    return first == ARRAY and (expected or session.subscriptions.active())


def _frame(session: Session, frame: bytes) -> None:
    head = session.master.queue[0] if session.master.queue else None
    expected = head is not None and head.kind is Kind.SUBSCRIBE and not head.inside
    words = flat_strings(frame)
    if head is not None and expected and head.acks < 0:
        head.acks = session.subscriptions.owed(head.args)
    what = session.subscriptions.take(words)
    if what is Frame.OTHER and frame[0] == ARRAY:
        _reply_part(session, Part(frame, True))
        return
    session.marks.acquire()
    if what is Frame.ACKNOWLEDGEMENT and head is not None and expected:
        _acknowledged(session, head, frame)
    else:
        session.output.append(frame)


def _acknowledged(session: Session, head: Slot, frame: bytes) -> None:
    """Pass on one acknowledgement; nothing can be before it, since the slots before it are answered."""
    head.acks -= 1
    if not head.mute:
        session.output.append(frame)
    if head.acks == 0:
        session.master.queue.popleft()
        finish(session, head)


def _refused(session: Session, slot: Slot) -> bool:
    """Tell whether the reply means that the command has to be sent again, to a better master."""
    if slot.parts[0][0] != ERROR or slot.streamed:
        return False
    if first_word(slot.parts[0]) not in _NOT_RUN or slot.answer is not None:
        return False
    session.suspect = True
    if slot.inside:
        return slot.block is not None and _begin_again(session, slot.block)
    return slot.kind is not Kind.EXEC and slot.tries < TRIES


def _begin_again(session: Session, block: Transaction) -> bool:
    """Queue what has been answered of a transaction that cannot run; its client hears nothing of that."""
    if block.again:
        return True
    queue = session.master.queue
    owed = sum(slot.block is block for slot in queue)
    if not block.whole or not any(slot.block is block and slot.kind is Kind.EXEC for slot in queue):
        return False  # its client waits for a reply before it goes on, so it has to hear what happened
    for kind, args, raw in block.requests[: len(block.requests) - owed]:
        silent = Slot(Request(args, raw), queue[0].plan)
        silent.kind, silent.inside, silent.route = kind, kind is not Kind.MULTI, "master"
        queue.append(silent)
    block.again = True
    return True


def _goes_again(session: Session, slot: Slot) -> bool:
    """Tell whether *slot* belongs to a transaction that is being collected; EXEC ends that."""
    block = slot.block
    if block is None or not block.again:
        return False
    if slot.kind is not Kind.EXEC:
        return True
    block.again = block.whole = False  # once is enough
    session.open = False
    if first_word(slot.parts[0]) == b"EXECABORT":
        return True
    session.abort = True  # it ran after all
    return False


def _collect(session: Session, slot: Slot) -> None:
    """Take a reply of a connection that has refused a command: nothing behind that one may overtake it."""
    lane = session.master
    lane.collecting = True
    lane.queue.popleft()
    refused = slot.parts[0][0] == ERROR and first_word(slot.parts[0]) in _NOT_RUN
    alone = not slot.inside and (refused or slot.kind is Kind.READ)
    if not slot.streamed and (_goes_again(session, slot) or alone):
        session.forget(slot)
        slot.sent, slot.tries = False, slot.tries + 1
        lane.queue.append(slot)  # behind those that are still owed, in the old order
    else:
        finish(session, slot)
    if not lane.owed():
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
    if slot.args:
        session.keep(slot, part.data)
    if part.end:
        _replica_answered(session, slot)
    elif slot.size > STREAM and session.slots[0] is slot:
        session.release()


def _replica_answered(session: Session, slot: Slot) -> None:
    session.replica.queue.popleft()
    if not session.replica.queue:
        session.at_replica = 0
    if slot.args:
        finish(session, slot)


def _replica_error(session: Session, slot: Slot, error: bytes) -> None:
    """A replica's error may be its own: let the master say it, or answer."""
    word = first_word(error)
    session.shared.tally.retries[word.decode("ascii", "replace").lower()[:16]] += 1
    if not slot.args or word in _NOT_RUN:
        session.suspect = True
        losing.replica_lost(session)
        return
    session.replica.queue.popleft()
    session.to_master(slot, "retry")
    if not session.replica.queue:
        session.at_replica = 0
