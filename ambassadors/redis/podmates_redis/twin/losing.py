"""Connections that are lost, replaced or given up. No I/O.

Each request on them gets exactly one reply, or its client is closed; never a reply of another request.
"""

from __future__ import annotations

from podmates_redis.engine.events import BY_SERVER, UPSTREAM_LOST
from podmates_redis.engine.rules import READ, REPEATABLE
from podmates_redis.twin import proof
from podmates_redis.twin.answers import begin_collecting, new_master, only_reads
from podmates_redis.twin.figures import count
from podmates_redis.twin.order import deliver, doom, take_back, tell
from podmates_redis.twin.settling import read_elsewhere, send_again, settle, single, singles, wake_held
from podmates_redis.twin.shapes import BLOCK, DOOMED, NOBODY, Client, Core, Group, Slot, Upstream
from podmates_redis.twin.table import keys_of_slot


def upstream_lost(core: Core, u: Upstream) -> None:
    """Its descriptor is closed."""
    u.fd = -1
    if u.paused_for is not None:
        u.paused_for.pauses -= 1
        u.paused_for = None
    tell(core, (UPSTREAM_LOST, u.group.number, u.place, int(u.current)))
    if u.current:
        u.current = False
        if u.place:
            u.group.current[u.place] = None
        else:
            new_master(u.group, core)
    if u.place == 0:
        wake_held(core, u.group)
    singles(core, u)
    while u.slots:
        slot = u.drop()
        _lose(core, u, slot, slot.end <= u.sent)
    u.pending.clear()
    u.sent = u.tail
    u.need = u.skip = 0
    u.in_line, u.rest = False, b""


def _lose(core: Core, u: Upstream, slot: Slot, sent: bool) -> None:
    """*sent*: the whole request is with the kernel, so it may have run."""
    c = slot.client
    if slot.over:
        settle(core, u, slot, unknown=True)
    elif slot.partial and not (slot.kind != BLOCK and take_back(core, slot)):
        doom(core, c, BY_SERVER)
        settle(core, u, slot, unknown=True)
    elif c.state >= DOOMED and slot.kind == READ:
        settle(core, u, slot)
    elif not sent or ((u.place or only_reads(slot) or slot.flags & REPEATABLE) and _once_more(core, slot)):
        if not (u.place and read_elsewhere(core, u, slot)):
            send_again(core, u, slot)
    elif slot.kind == BLOCK:
        doom(core, c, BY_SERVER)  # it may have run, and no error says so to every library
        settle(core, u, slot, unknown=True)
    elif core.close_unknown and u.place == 0:
        core.lost += 1
        doom(core, c, BY_SERVER)
        settle(core, u, slot, unknown=True)
    else:
        core.lost += 1
        settle(core, u, slot, unknown=True)
        count(core, u, slot, True)
        deliver(core, slot, core.lost_text)


def _once_more(core: Core, slot: Slot) -> bool:
    """Count one more try; False: it has had its tries, or the whole process its retries."""
    if slot.tries >= core.most_tries or core.credit < 5:
        return False
    core.credit -= 5
    slot.tries += 1
    return True


def give_up(core: Core, group: Group, to_read: bytes, to_write: bytes) -> None:
    """Nobody came to send to within the time: answer what waits for a master of *group*."""
    u = group.current[0]
    if u is None or u.fd != -1:
        return
    while u.slots:
        slot = u.drop()
        settle(core, u, slot)
        count(core, u, slot, True)
        words = group.refusal if slot.refused_before else to_read if slot.kind == READ else to_write
        deliver(core, slot, words * (slot.replies - slot.told))
    u.pending.clear()
    u.sent = u.tail


def connected(core: Core, group: Group, place: int, fd: int) -> Upstream:
    """A connection stands: it takes what waits, or takes over from one that is stuck."""
    u, old = group.current[place], None
    if u is None or u.fd != -1:
        if u is not None:
            u.current = False
        old, u = u, Upstream(group, place)
        core.upstreams.insert(0, u)
        group.current[place] = u
    u.fd = fd
    u.wants_write = u.stuck = u.late = u.hopeless = False
    u.rest, u.moved = b"", core.now
    _mark_waiting(core, u)
    u.wait()
    if old is not None and old.paused_for is not None:
        _ask_anew(core, old, u)
        old.paused_at = core.now  # from now on it matters who is left behind
    if place == 0:
        wake_held(core, group)
    return u


def _mark_waiting(core: Core, u: Upstream) -> None:
    """What has waited is sent now, so its writes are marked now."""
    for slot in u.slots:
        slot.began = core.now
        if slot.writes():
            slot.generation = proof.mark_sent(core.proof, keys_of_slot(core, slot))


def _ask_anew(core: Core, old: Upstream, u: Upstream) -> None:
    """Ask on *u* what others have asked on *old*, which waits for one client: as far as they only read."""
    singles(core, old)
    stay = {slot.client for slot in old.slots if slot.kind != READ or slot.partial}
    stay.add(old.paused_for or NOBODY)
    for slot in old.slots:
        c = slot.client
        if slot.over or c in stay:
            continue
        u.append(slot.again())
        slot.client, slot.over, slot.odd = NOBODY, True, True
        if u.place:
            c.replica = u
        else:
            c.master = u


def moved_away(core: Core, group: Group) -> None:
    """Another server is the master of *group* now: take what the old connections owe, send no more there."""
    for u in list(core.upstreams):
        if u.group is group and u.place == 0 and u.fd != -1:
            begin_collecting(core, u)


def collected(core: Core, u: Upstream) -> bool:
    """Tell whether a connection that is given up owes nothing more, or had its time; what is unsent stays."""
    return not u.slots or single(core, u).end > u.sent or core.now > u.collect_until


def forgotten(core: Core) -> list[Client]:
    """Return the clients that are owed a reply which no request brings: an error of ours has lost it."""
    first: dict[Client, int] = {}
    for u in core.upstreams:
        for slot in u.slots:
            first[slot.client] = min(slot.seq, first.get(slot.client, slot.seq))
    return [
        c for c in core.clients.values() if c.next_seq != c.head_seq and first.get(c, c.next_seq) > c.head_seq
    ]


def retire_empty(core: Core) -> list[Upstream]:
    """Forget connections that nobody needs any more; return those whose descriptors are to be closed."""
    if all(u.current or u.slots for u in core.upstreams):
        return []
    gone = [u for u in core.upstreams if not u.current and not u.slots]
    core.upstreams = [u for u in core.upstreams if u.current or u.slots]
    for u in gone:
        if u.place == 0:
            for c in core.clients.values():
                if c.master is u:
                    c.master = u.group.current[0]
            if u.collecting:
                u.group.collecting -= 1
                u.collecting = False
                wake_held(core, u.group)
    return [u for u in gone if u.fd != -1]
