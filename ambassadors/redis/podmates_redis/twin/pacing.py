"""A client that takes less than it is owed. No I/O.

What it asked behind that is given back to it, to be asked again on a connection of its own. Only a long reply
that has begun keeps its connection waiting; others go on elsewhere.
"""

from __future__ import annotations

from podmates_redis.engine.rules import READ
from podmates_redis.twin.clients import keep_input
from podmates_redis.twin.order import make_dirty
from podmates_redis.twin.settling import singles
from podmates_redis.twin.shapes import KEPT, LEAVING, NOBODY, OPEN, Core, Slot, Upstream


def ends_soon(core: Core, u: Upstream) -> bool:
    """Tell whether the rest of the reply at hand is little enough to be kept, as far as that is known."""
    slot = u.slots[0]
    c = slot.client
    return slot.over or (slot.seq == c.head_seq and c.unsent + u.skip <= KEPT * core.unread)


def _last_reads(u: Upstream) -> list[Slot]:
    """Return what has only been read by the client whose turn it is, its last requests, and is not begun."""
    c, found = u.slots[0].client, list[Slot]()
    seq = c.next_seq
    for slot in reversed(u.slots):
        if slot.client is not c:
            continue
        if slot.kind != READ or slot.partial or slot.seq != seq - 1:
            break
        seq -= 1
        found.append(slot)
    return found[::-1]


def recall(core: Core, u: Upstream) -> None:
    """Give those reads back to the client; what comes for them is dropped."""
    c = u.slots[0].client
    singles(core, u)
    recalled = _last_reads(u)
    if not recalled or core.over_limit():
        return
    for slot in recalled:
        slot.client, slot.over, slot.odd = NOBODY, True, True
    c.next_seq -= len(recalled)
    if u.place:
        c.at_replica -= len(recalled)
    else:
        c.at_master -= len(recalled)
    keep_input(core, c, b"".join([*(slot.data for slot in recalled), c.input]))
    if c.state == OPEN:
        c.state = LEAVING
    make_dirty(core, c)
