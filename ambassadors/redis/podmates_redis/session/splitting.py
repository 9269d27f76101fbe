"""Reads and writes: to which server, and behind what. No I/O."""

from __future__ import annotations

from podmates_redis.commands.table import Kind, Use
from podmates_redis.session import scripting
from podmates_redis.session.sending import before, bits_of, join, marks_of, plain
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot
from podmates_redis.session.state import change
from podmates_redis.wire import texts
from podmates_redis.wire.requests import Request

_WANTING = ("no_replica", "lag")  # why a read would go to the master though it could be split


def read(session: Session, slot: Slot) -> bool:
    slot.marks = marks_of(session, slot)
    why = _why_master(session, slot)
    join(session, slot)
    if why in _WANTING and _turned_off(session, slot):
        return True
    if why or session.follower is None:
        session.to_master(slot, why)
        return True
    slot.route, slot.why = "replica", "stale" if session.follower.late else ""
    session.at_replica |= bits_of(slot.marks)
    lane = session.replica
    if lane.up and lane.state is not session.state and lane.state != session.state:
        for raw in change(lane.state, session.state):
            lane.send(Slot(Request([], raw), slot.plan))
        lane.state = session.state
    slot.began = session.shared.clock()
    lane.send(slot)
    return True


def change_replica(session: Session) -> bool:
    """Read another replica from now on, since this one has failed; False when there is none."""
    failed = session.follower
    chosen = session.shared.pick(session.user(), apart=failed)
    if failed is None or chosen is None or chosen is session.shared.home:
        return False
    failed.clients -= 1
    chosen.clients += 1
    session.follower = chosen
    return True


def read_again(session: Session, slot: Slot) -> bool:
    """Send a read whose replica has failed to the new one, if that has what it needs; only once."""
    if slot.why == "retry" or slot.script():
        return False
    if session.shared.policy.consistency in ("session", "own-writes") and _unproven(session, slot):
        return False
    slot.why, slot.began = "retry", session.shared.clock()
    session.at_replica |= bits_of(slot.marks)
    session.replica.send(slot)
    return True


def _why_master(session: Session, slot: Slot) -> str:
    """Return why this read cannot go to the session's replica, or nothing."""
    policy, shared = session.shared.policy, session.shared
    command = slot.plan.command
    if session.watching:
        return "transaction"
    if policy.choice.read_from == "master" or policy.consistency == "strict":
        return "policy"
    if shared.crowd.monitors or session.counting:
        return "policy"
    if session.pinned or session.unsettled or session.subscribing or session.subscriptions.active():
        return "policy"
    if command.why_master:
        return command.why_master
    if command.script is Use.DIGEST and not shared.scripts.anywhere(slot.args[1].lower()):
        return "script"
    if command.name in shared.misjudged:
        return "policy"
    if slot.plan.keys is None and command.first == 0 and not (command.movable or command.anywhere):
        return "policy"
    if session.guide is not None and (slot.plan.keys is None or len(slot.plan.keys) != 1):
        return "policy"  # what a replica does not find of several keys cannot be told from its reply
    if not _has_follower(session):
        return "policy" if any(map(session.barred_from, shared.followers)) else shared.why_nobody
    if session.follower is shared.home:
        return "choice"
    if slot.clash:
        return "pipeline"
    if policy.consistency in ("session", "own-writes"):
        return _unproven(session, slot)
    return ""


def _turned_off(session: Session, slot: Slot) -> bool:
    """Answer a read that no replica can take, where the master is not to take it; False where it is."""
    policy, text = session.shared.policy, texts.MASTER_DOWN
    if policy.choice.read_from != "replica" and policy.fallback != "error":
        if session.shared.falls_back():
            return False
        text = texts.OVERLOADED
    slot.why = session.shared.why_nobody
    session.tell(slot, text)
    return True


def _has_follower(session: Session) -> bool:
    """Keep the session's replica while it is usable, else take another."""
    current = session.follower
    usable = current is not None and current.usable and not session.barred_from(current)
    if current is not None and usable and not session.shared.better(current):
        return True
    if session.replica.queue:
        return False  # it was given up this moment; its reads come back to the master first
    chosen = session.shared.pick(session.user())
    if current is not None:
        session.replica.close()
    session.follow(chosen)
    return chosen is not None


def _unproven(session: Session, slot: Slot) -> str:
    """Return what is not proven of the session's replica and would have to be."""
    marks, follower = session.marks, session.follower
    why = ""
    if session.wants_master() or session.overdue():
        why = "mark"  # a write that waits for its connection has no mark yet
    elif follower is None or marks.needed(slot.marks) > follower.covered:
        why = "mark"
    elif session.shared.policy.consistency == "session" and marks.floor > follower.covered:
        why = "acquire"
    if why:
        session.shared.turned_away = True
    return why


def write(session: Session, slot: Slot) -> bool:
    if slot.plan.command.script is not Use.NONE and scripting.is_read(session, slot):
        slot.kind = Kind.READ
        return read(session, slot)
    slot.marks = marks_of(session, slot)
    if session.at_replica and session.at_replica & bits_of(slot.marks):
        return False
    join(session, slot)
    session.to_master(slot)
    return True


def before_wait(session: Session) -> tuple[bytes, ...]:
    """Return what the master runs first: it counts replicas from the last write of this very connection."""
    lane = session.master
    if not lane.wrote or lane.wrote_here or not session.shared.table.lists(b"spublish"):
        return (b"PING",)
    channel = b"podmates:wait" if session.guide is None else session.guide.channel(b"podmates:wait")
    return (b"SPUBLISH", channel, b"")  # a write that changes nothing; nobody listens there


def blocking(session: Session, slot: Slot) -> bool:
    if slot.plan.command.counts:
        slot.marks = ()
        before(session, *before_wait(session))
    else:
        slot.marks = marks_of(session, slot)
    plain(session, slot)
    session.blocked = slot
    return True
