"""What servers send unasked: messages, and acknowledgements of subscriptions. No I/O.

A large message is never held whole: it passes on as it comes, and nothing else goes to its client meanwhile.
"""

from __future__ import annotations

from podmates_redis.commands.table import Kind
from podmates_redis.session import tracking
from podmates_redis.session.finishing import finish
from podmates_redis.session.session import STREAM, Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.subscriptions import Frame, begun
from podmates_redis.wire.replies import ARRAY, PUSH, Part, flat_strings

_MESSAGE = b"*3\r\n$7\r\nmessage\r\n"  # how one begins


def begins(session: Session, part: Part) -> bool:
    """Tell whether a reply that begins with *part* is one of publish and subscribe."""
    lane = session.master
    head = lane.queue[0] if lane.queue else None
    if head is not None and head.acks <= 0 and (head.parts or head.streamed):
        return False
    first = part.data[0]
    if first == PUSH:
        return True
    expected = head is not None and head.kind is Kind.SUBSCRIBE and not head.inside
    return first == ARRAY and (expected or session.subscriptions.active())


def take(session: Session, part: Part) -> Part | None:
    """Take a part of a frame; return what turns out to be a reply."""
    lane = session.master
    if session.passing:
        session.output.append(part.data)
        session.be_patient()
        if part.end:
            session.passing, lane.frame = False, None
        return None
    lane.frame = lane.frame or []
    before, lane.framed = lane.framed, lane.framed + len(part.data)
    lane.frame.append(part.data)
    if part.end:
        frame, lane.frame, lane.framed = b"".join(lane.frame), None, 0
        return _whole(session, frame)
    return _large(session) if before <= STREAM < lane.framed else None


def _large(session: Session) -> Part | None:
    """Decide what becomes of a frame that is not complete yet, by its beginning."""
    lane = session.master
    frame = b"".join(lane.frame or [])
    what = begun(frame)
    if what is Frame.MESSAGE and lane.collecting:
        _too_early(session)
    elif what is Frame.MESSAGE and session.guide is None:  # else others may come from other shards meanwhile
        session.marks.acquire()
        session.output.append(frame)
        session.passing, lane.frame, lane.framed = True, [], 0
    elif what is Frame.OTHER and frame[0] == ARRAY:
        lane.frame, lane.framed = None, 0
        return Part(frame, False)
    return None


def _whole(session: Session, frame: bytes) -> Part | None:
    head = session.master.queue[0] if session.master.queue else None
    expected = head is not None and head.kind is Kind.SUBSCRIBE and not head.inside
    # a message of changed keys has an array in it
    words = flat_strings(frame) or ([b"message"] if frame.startswith(_MESSAGE) else [])
    if head is not None and expected and head.acks < 0:
        head.acks = session.subscriptions.owed(head.args)
    what = session.subscriptions.take(words)
    if what is Frame.OTHER and frame[0] == ARRAY:
        return Part(frame, True)
    session.marks.acquire()
    if what is Frame.ACKNOWLEDGEMENT and head is not None and expected:
        _acknowledged(session, head, frame)
    elif what is Frame.ACKNOWLEDGEMENT and session.guide is not None:
        session.because("upstream")
        session.abort = True  # its slot has moved: the client is to subscribe again, as after any loss
    elif session.master.collecting:
        _too_early(session)
    else:
        session.output.append(tracking.shown(session, frame))
    return None


def _acknowledged(session: Session, head: Slot, frame: bytes) -> None:
    """Pass on one acknowledgement, behind the replies of what was sent before and has to be asked again."""
    head.acks -= 1
    head.mute = False  # CLIENT REPLY silences replies, and this is none
    session.keep(head, frame if session.guide is None else session.guide.total(frame))
    if head.acks == 0:
        session.master.queue.popleft()
        finish(session, head)
    elif session.slots[0] is head:
        session.output += head.parts
        session.forget(head)


def _too_early(session: Session) -> None:
    """A message is ahead of replies that are still to come; its subscription ends with this connection."""
    session.abort = True
