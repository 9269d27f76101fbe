"""Connections whose oldest request is unanswered for long, and requests that had their time. No I/O."""

from __future__ import annotations

from podmates_redis.engine.events import BY_SERVER, LATE_REPLY, STUCK
from podmates_redis.twin.figures import count
from podmates_redis.twin.order import deliver, doom, make_dirty, tell
from podmates_redis.twin.settling import settle, singles
from podmates_redis.twin.shapes import ANOTHER, BLOCK, OTHERS_WAIT, STUCK_AFTER, Client, Core, Slot, Upstream


def check_times(core: Core) -> None:
    """Look at the clock."""
    for u in list(core.upstreams):
        if u.paused_for is not None:
            u.moved = core.now  # it is not the server that takes long
            _hold_no_longer(core, u, u.paused_for)
        elif u.fd != -1 and u.slots:
            _check(core, u)
        elif core.patience and u.slots:
            _end_waiting(core, u)


def _check(core: Core, u: Upstream) -> None:
    since = max(u.slots[0].since, u.moved)
    if u.current and not u.stuck and core.now - since > STUCK_AFTER:
        u.stuck = True
        tell(core, (STUCK, u.group.number, u.place, 0))
    if core.patience and u.place and core.now - since > core.patience / 2:
        core.retries += 1
        u.hopeless = True  # its reads have as long at the master
        tell(core, (LATE_REPLY, u.group.number, u.place, 0))
    elif core.patience:
        _end_late(core, u)


def _hold_no_longer(core: Core, u: Upstream, c: Client) -> None:
    """Read on for a client that takes its replies only when it has sent all, or behind which others wait."""
    others = any(slot.client is not c and not slot.over for slot in u.slots)
    since = max(c.taken, u.paused_at)
    waited = others and core.now - u.paused_at > (ANOTHER if u.current else OTHERS_WAIT)
    if waited or (c.sending and core.now - since > STUCK_AFTER):
        c.unpaced = True
        make_dirty(core, c)


def _say_late(core: Core, u: Upstream, slot: Slot) -> None:
    if slot.kind == BLOCK:
        doom(core, slot.client, BY_SERVER)
    else:
        deliver(core, slot, u.group.refusal if slot.refused_before else core.late_text)


def _end_late(core: Core, u: Upstream) -> None:
    """Tell clients whose requests took too long; what comes for them later is dropped.

    A connection that has nothing else on it is given up.
    """
    if not any(core.now - slot.since > core.patience or slot.over for slot in u.slots):
        return
    singles(core, u)
    only_late = True
    for slot in u.slots:
        if slot.over:
            continue
        in_time = core.now - slot.since <= core.patience
        if in_time or (core.now - u.moved <= core.patience and slot.partial):
            only_late = False
            continue
        slot.over = slot.odd = True
        if slot.partial:
            doom(core, slot.client, BY_SERVER)
        else:
            _say_late(core, u, slot)
        if not u.late:
            u.late = True
            tell(core, (LATE_REPLY, u.group.number, u.place, 0))
    if only_late:
        u.hopeless = True


def _end_waiting(core: Core, u: Upstream) -> None:
    """Answer what has waited too long for a connection, without sending it."""
    if all(core.now - slot.since <= core.patience for slot in u.slots):
        return
    for _ in range(len(u.slots)):
        slot = u.drop()
        if core.now - slot.since > core.patience:
            _say_late(core, u, slot)
            settle(core, u, slot)
            count(core, u, slot, True)
        else:
            u.append(slot)  # to the end: all keep their order
    u.wait()
