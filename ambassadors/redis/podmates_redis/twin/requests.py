"""From a client to the servers. No I/O.

The law of this file
 1. What this side cannot serve at once (hard or unknown command, inline, malformed, long, master away)
    makes the client leave, unparsed, once all its earlier commands are answered.
 2. A write does not overtake its client's reads of the same key at a replica: it waits, unparsed, with
    all behind it. A read whose key is written later in the same batch goes to the master at once.
 3. All that a client has on its way to the master is on one connection, in order.
 4. A client that takes its replies may have many commands unanswered, one that does not only a few.
 5. A write is marked when it is sent; one that waits for a connection is marked when it gets one.
"""

from __future__ import annotations

from podmates_redis.engine.events import TRANSACTED, TURNED_AWAY, WROTE
from podmates_redis.engine.rules import LOCAL, PLAIN, READ, WRITE
from podmates_redis.twin import proof
from podmates_redis.twin.cutting import cut_batch, foresee
from podmates_redis.twin.figures import took
from podmates_redis.twin.order import deliver, inflight
from podmates_redis.twin.settling import reads_too
from podmates_redis.twin.shapes import (
    BATCH,
    BLOCK,
    BY_LOCAL,
    CREDIT,
    FINE,
    FOR_MASTER,
    FOR_READS,
    FOR_REPLIES,
    HOLD,
    LEAVE,
    WHY_ACQUIRE,
    WHY_CURSOR,
    WHY_LAG,
    WHY_MARK,
    WHY_NO_REPLICA,
    WHY_NONE,
    WHY_POLICY,
    Client,
    Core,
    Place,
    Request,
    Slot,
    Upstream,
)

_MOST_READ = 256  # reads at a replica that are kept apart, else any key may be among them


def take_requests(core: Core, c: Client, data: bytes, *, last: bool) -> tuple[int, int]:
    """Take the whole requests at the beginning of *data*; return what follows from it, and how far they go.

    *last*: nothing more is here for now.
    """
    at, result, full = 0, FINE, True
    while at < len(data) and full and result == FINE:
        if inflight(c) >= c.window:
            c.hold = FOR_REPLIES
            return HOLD, at
        result, batch = cut_batch(core, c, (data, at), last)
        full = len(batch) == BATCH
        if len(batch) > 1:
            foresee(batch)
        for request in batch:
            if inflight(c) >= c.window:
                c.hold = FOR_REPLIES
                return HOLD, at
            routed = _route(core, c, request)
            if routed != FINE:
                return routed, at
            at += len(request.data)
    return result, at


def _load(place: Place) -> float:
    return (place.clients + place.others + 1) / place.share


def choose_place(core: Core, c: Client) -> None:
    """Keep the client's replica while it can be read, else take the readable one with the fewest clients for
    its share; of those that are alike each in turn. Without any it waits for its own."""
    here = c.group.current
    if c.at_replica or (c.place and core.places[c.place].usable and here[c.place] is not None):
        return
    usable = [i for i, place in enumerate(core.places) if i and place.usable and here[i] is not None]
    best = 0
    if usable:
        least = min(_load(core.places[i]) for i in usable)
        alike = [i for i in usable if _load(core.places[i]) == least]
        best = alike[core.turn % len(alike)]
        core.turn += len(alike) > 1
    elif c.place and core.places[c.place].usable:
        return
    if c.place:
        core.places[c.place].clients -= 1
    if best:
        core.places[best].clients += 1
    c.place = best


def why_master(core: Core, c: Client, reason: int) -> int:
    """Return why a read cannot go to the client's replica, whatever its keys are; WHY_NONE: it may."""
    if not core.reads_allowed:
        return WHY_POLICY
    if reason in (WHY_POLICY, WHY_CURSOR):
        return reason
    choose_place(core, c)
    there = c.group.current[c.place]
    if c.place == 0 or there is None or not core.places[c.place].usable:
        return WHY_LAG if core.lagging else WHY_NO_REPLICA
    if reason:
        return reason
    if c.at_replica == 0 and there.stuck:
        return WHY_NO_REPLICA
    if c.at_master and c.master is not None and (c.master.fd == -1 or c.group.collecting):
        return WHY_MARK  # a write that waits has no mark yet
    return WHY_NONE


def unproven(core: Core, c: Client, need: int) -> int:
    """Return why a read that needs the generation *need* cannot go to the client's replica, if so."""
    if not core.prove_marks:
        return WHY_NONE
    covered = core.places[c.place].covered
    found = WHY_NONE
    if (c.writes and c.oldest_write <= core.proof.late) or need > covered:
        found = WHY_MARK
    elif core.prove_floor and core.proof.floor > covered:
        found = WHY_ACQUIRE
    if found and not core.turned_away:
        core.turned_away = True
        core.events.append((TURNED_AWAY, 0, 0, 0))
    return found


def master_for(c: Client) -> Upstream | None:
    """Return where this client's commands go that are for the master (law 3); None: they have to wait."""
    group = c.group
    if group.collecting:
        return None
    u = c.master
    if c.at_master == 0 or u is None:
        u = group.current[0]
        assert u is not None  # noqa: S101  (a group has one for its master always)
        if u.stuck:
            return None
    return None if u.late else u


def send(core: Core, u: Upstream, slot: Slot, request: Request) -> None:
    """Put *slot*, made of *request*, on its way."""
    c, count = slot.client, slot.count
    joins = bool(u.slots) and _joins(core, u, slot)
    core.credit = min(CREDIT, core.credit + count)
    c.next_seq += count
    c.command = slot.command
    if u.place:
        c.at_replica += count
        c.replica = u
        if len(c.read) == _MOST_READ:
            c.read[:] = [None]
        c.read.append(request.keys if count == 1 else slot.data)
    else:
        c.at_master += count
        c.master = u
        if slot.kind != READ and slot.writes():
            c.did |= WROTE if slot.kind == WRITE else WROTE | TRANSACTED
            if joins:
                proof.mark(core.proof, request.keys)
            elif u.fd != -1:
                slot.generation = proof.mark_sent(core.proof, request.keys)
            if c.writes == 0:
                c.oldest_write = core.proof.generation
            c.writes += count
    if joins:
        u.join(slot)
    else:
        u.append(slot)


def _joins(core: Core, u: Upstream, slot: Slot) -> bool:
    """Tell whether *slot* is like the newest of *u*, of which nothing is sent yet, and follows it."""
    last = u.slots[-1]
    if (
        last.client is not slot.client
        or last.command is not slot.command
        or last.seq + last.count != slot.seq
    ):
        return False
    if (last.kind, last.flags, last.reason, last.since) != (slot.kind, slot.flags, slot.reason, slot.since):
        return False
    if last.odd or slot.replies > 1 or last.end - len(last.data) < u.sent:
        return False
    return slot.kind != WRITE or last.generation == core.proof.generation


def _route(core: Core, c: Client, request: Request) -> int:
    """Send or answer one request; return what follows from it."""
    if request.kind == LOCAL:
        if len(request.words) <= 2:
            _answer_here(core, c, request)
            return FINE
        request.kind, request.keys = PLAIN, ()
    u: Upstream | None = None
    if request.kind == READ:
        request.reason = why_master(core, c, request.reason)
        if request.reason == WHY_NONE:
            request.reason = unproven(core, c, proof.needed(core.proof, request.keys))
        if request.reason == WHY_NONE:
            u = c.replica if c.at_replica else c.group.current[c.place]
    elif c.at_replica and (
        request.kind == BLOCK or (request.kind == WRITE and reads_too(core, c, request.keys))
    ):
        core.holds += 1
        c.hold = FOR_READS
        return HOLD
    if u is None:
        u = master_for(c)
        if u is None:
            c.hold = FOR_MASTER
            return HOLD
        if u.fd == -1:
            return LEAVE
    send(core, u, Slot(c, request, core.now), request)
    return FINE


def _answer_here(core: Core, c: Client, request: Request) -> None:
    """PING and ECHO."""
    slot = Slot(c, request, core.now)
    c.next_seq += 1
    c.command = request.command
    request.command.tally[BY_LOCAL][0] += 1
    took(request.command, BY_LOCAL, 0.0, 1)
    words = request.words
    deliver(core, slot, b"+PONG\r\n" if len(words) == 1 else b"$%d\r\n%b\r\n" % (len(words[1]), words[1]))
