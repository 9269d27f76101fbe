"""The order of a client's replies: that of its requests; one that is early is parked. No I/O."""

from __future__ import annotations

from podmates_redis.engine.events import TOOK_TOO_LITTLE
from podmates_redis.twin.shapes import (
    DOOMED,
    EARLY,
    FOR_REPLIES,
    WIDEST,
    WINDOW,
    Client,
    Core,
    Event,
    Parked,
    Slot,
)


def tell(core: Core, event: Event) -> None:
    """Leave an event: (what, group, place, id)."""
    core.events.append(event)


def make_dirty(core: Core, c: Client) -> None:
    if not c.dirty:
        c.dirty = True
        core.dirty.append(c)


def doom(core: Core, c: Client, why: int) -> None:
    """It can not be told the truth any more, or takes too much, or is gone: it is to be closed."""
    if c.state < DOOMED:
        c.state, c.why = DOOMED, why
        make_dirty(core, c)


def inflight(c: Client) -> int:
    return c.next_seq - c.head_seq


def deliver(core: Core, slot: Slot, piece: bytes, *, complete: bool = True) -> None:
    """Give the client (a part of) the replies to the requests of *slot*."""
    c = slot.client
    if slot.seq != c.head_seq:
        _park(core, slot, piece, complete)
        return
    if c.state < DOOMED and piece:
        c.output.append(piece)
        c.unsent += len(piece)
    if complete:
        c.head_seq += slot.count
        if c.parked:
            _unpark(core, c)
        widen(c, slot.count)
    make_dirty(core, c)


def _park(core: Core, slot: Slot, piece: bytes, complete: bool) -> None:
    c = slot.client
    if c.state >= DOOMED:
        return
    parked = c.parked.get(slot.seq)
    if parked is None:
        parked = c.parked[slot.seq] = Parked()
    parked.pieces.append(piece)
    parked.size += len(piece)
    parked.complete, parked.count = complete, slot.count
    c.parked_bytes += len(piece)
    core.kept += len(piece)
    if c.parked_bytes > core.client_limit or core.over_limit():
        doom(core, c, TOOK_TOO_LITTLE)


def _unpark(core: Core, c: Client) -> None:
    """Pass on replies that waited for the one just delivered."""
    while (parked := c.parked.pop(c.head_seq, None)) is not None:
        _forget(core, c, parked)
        if c.state < DOOMED:
            c.output += parked.pieces
            c.unsent += parked.size
        if not parked.complete:
            return
        c.head_seq += parked.count


def _forget(core: Core, c: Client, parked: Parked) -> None:
    c.parked_bytes -= parked.size
    core.kept -= parked.size


def free_parked(core: Core, c: Client) -> None:
    core.kept -= c.parked_bytes
    c.parked_bytes = 0
    c.parked.clear()


def take_back(core: Core, slot: Slot) -> bool:
    """Forget the beginning of a reply; False: some of it is with the client."""
    c = slot.client
    if slot.seq == c.head_seq:
        return False
    if (parked := c.parked.pop(slot.seq, None)) is not None:
        _forget(core, c, parked)
    return True


def widen(c: Client, count: int) -> None:
    """Let it have more unanswered commands while it takes its replies, else few."""
    if c.unsent > 65536:
        c.window = WINDOW
    elif c.window < WIDEST:
        c.window += count
    if c.hold == FOR_REPLIES and inflight(c) <= c.window // 2:
        c.resumed = True


def piles_up(core: Core, slot: Slot) -> bool:
    """Tell whether its client has more than enough of such replies as *slot* brings."""
    c = slot.client
    if c.unpaced:
        return False
    if slot.seq == c.head_seq:
        return c.unsent > core.unread
    return c.parked_bytes > EARLY * core.unread
