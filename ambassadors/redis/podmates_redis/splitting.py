"""Reads and writes: to which server, and behind what. No I/O."""

from __future__ import annotations

from podmates_redis.requests import Request
from podmates_redis.sending import bits_of, join, marks_of, plain
from podmates_redis.session import Session
from podmates_redis.slots import Slot
from podmates_redis.state import change


def read(session: Session, slot: Slot) -> bool:
    slot.marks = marks_of(session, slot)
    why = _why_master(session, slot)
    join(session, slot)
    if why or session.follower is None:
        session.to_master(slot, why)
        return True
    slot.route = "replica"
    session.at_replica |= bits_of(slot.marks)
    lane = session.replica
    if lane.up and lane.state != session.state:
        for raw in change(lane.state, session.state):
            lane.send(Slot(Request([], raw), slot.plan))
        lane.state = session.state
    lane.send(slot)
    return True


def _why_master(session: Session, slot: Slot) -> str:
    """Return why this read cannot go to the session's replica, or nothing."""
    policy, shared = session.shared.policy, session.shared
    command = slot.plan.command
    if session.watching:
        return "transaction"
    if policy.read_from == "master" or policy.consistency == "strict" or shared.monitors:
        return "policy"
    if session.pinned or session.unsettled or session.subscribing or session.subscriptions.active():
        return "policy"
    if command.why_master:
        return command.why_master
    if slot.plan.keys is None and command.first == 0 and not command.movable:
        return "policy"
    if not _has_follower(session):
        return shared.why_none()
    if slot.clash:
        return "pipeline"
    if policy.consistency in ("session", "own-writes"):
        return _unproven(session, slot)
    return ""


def _has_follower(session: Session) -> bool:
    """Keep the session's replica while it is usable, else take another."""
    current = session.follower
    if current is not None and current.usable:
        return True
    if session.replica.queue:
        return False  # it was given up this moment; its reads come back to the master first
    chosen = session.shared.pick()
    if current is not None:
        current.clients -= 1
        session.replica.close()
    session.follower = chosen
    if chosen is not None:
        chosen.clients += 1
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
    slot.marks = marks_of(session, slot)
    if session.at_replica and session.at_replica & bits_of(slot.marks):
        return False
    join(session, slot)
    session.to_master(slot)
    return True


def blocking(session: Session, slot: Slot) -> bool:
    slot.marks = () if slot.plan.command.name in ("wait", "waitaof") else marks_of(session, slot)
    plain(session, slot)
    session.blocked = slot
    return True
