"""Commands that run scripts: where they may run, what their replies teach, how a replica learns. No I/O."""

from __future__ import annotations

from collections import deque

from podmates_redis.commands.table import Use
from podmates_redis.session.scripts import only_reads
from podmates_redis.session.sending import plain
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Slot, dropped
from podmates_redis.wire.requests import encode


def is_read(session: Session, slot: Slot) -> bool:
    """Tell whether an EVAL or EVALSHA is to be treated as its read-only sister."""
    scripts, use = session.shared.scripts, slot.plan.command.script
    if not session.shared.policy.eval_no_writes or len(slot.args) < 3:
        return False
    if use is Use.BODY:  # only what the master has, so that EVALSHA there finds it
        return only_reads(slot.args[1]) and scripts.has(slot.args[1])
    return use is Use.DIGEST and only_reads(scripts.body(slot.args[1].lower()))


def kill(session: Session, slot: Slot) -> bool:
    """Send what ends a script; nothing behind it is let in before replicas were told, if they have to be."""
    session.fence = slot
    return plain(session, slot)


def answered(session: Session, slot: Slot, ok: bool) -> None:
    """Learn from the reply of *slot*, which has to do with scripts."""
    scripts, use = session.shared.scripts, slot.plan.command.script
    if not slot.plan.command.accepts(len(slot.args)):
        return
    if use is Use.FLUSH:
        scripts.flush()
    elif slot.route != "master" or slot.inside or slot.era != scripts.era:
        return
    elif use is Use.DIGEST and ok:
        scripts.add_digest(slot.args[1].lower())
    elif use is Use.DIGEST and slot.parts[0].startswith(b"-NOSCRIPT"):
        scripts.forget(slot.args[1].lower())
    elif ok and use in (Use.BODY, Use.LOAD):
        scripts.add(slot.args[1 if use is Use.BODY else 2])


def teach(session: Session, slot: Slot) -> bool:
    """A replica lacks the script of *slot*: load it, and ask again for all that it still owes, in order.

    False: that cannot be done, and the master has to answer.
    """
    scripts, lane = session.shared.scripts, session.replica
    digest = slot.args[1].lower()
    if scripts.body(digest) is None:
        scripts.missing(digest)
        return False
    if slot.tries or any(other.streamed for other in lane.queue):
        return False
    waiting, lane.queue = lane.queue, deque()
    for number, other in enumerate(waiting):
        if number:
            lane.queue.append(dropped(other))  # its reply is on its way already
    digests = [o.args[1].lower() for o in waiting if o.args and o.plan.command.script is Use.DIGEST]
    for body in dict.fromkeys(map(scripts.body, digests)):
        if body is not None:
            lane.send(dropped(slot, encode(b"SCRIPT", b"LOAD", body)))
    for other in waiting:
        if other.args:
            session.forget(other)
            other.tries += 1
            lane.send(other)
    return True


def repair(session: Session, slot: Slot) -> bool:
    """The master lacks the script of *slot*: load it and send *slot* again; False: the client has to know."""
    if len(slot.args) < 3:
        return False
    lane, body = session.master, session.shared.scripts.body(slot.args[1].lower())
    if not session.shared.policy.script_cache or body is None or slot.inside or slot.tries:
        return False
    if len(lane.queue) > 1 or not slot.parts[0].startswith(b"-NOSCRIPT"):
        return False  # what is behind it has run already, and would have run before it
    session.forget(slot)
    slot.tries += 1
    lane.queue.popleft()
    lane.send(dropped(slot, encode(b"SCRIPT", b"LOAD", body)))
    lane.send(slot)
    return True
