"""What follows when a request is answered, or never will be: marks, floor, and its client goes on. No I/O."""

from __future__ import annotations

from itertools import chain

from podmates_redis.engine.rules import ACQUIRES, READ
from podmates_redis.twin import proof
from podmates_redis.twin.frames import requests
from podmates_redis.twin.order import make_dirty
from podmates_redis.twin.shapes import (
    DOOMED,
    FOR_MASTER,
    FOR_READS,
    PLACES,
    WHY_RETRY,
    Client,
    Core,
    Group,
    Keys,
    Slot,
    Upstream,
)
from podmates_redis.twin.table import keys_of_all, keys_of_slot


def single(core: Core, u: Upstream) -> Slot:
    """Return the oldest request of *u*, alone in its slot."""
    slot = u.slots[0]
    if slot.count > 1:
        u.slots.popleft()
        u.slots.extendleft(reversed(_split(core, slot)))
    return u.slots[0]


def singles(core: Core, u: Upstream) -> None:
    """Have every request alone in its slot."""
    if any(slot.count > 1 for slot in u.slots):
        slots = list(u.slots)
        u.slots.clear()
        u.slots.extend(
            chain.from_iterable(_split(core, slot) if slot.count > 1 else [slot] for slot in slots)
        )


def _split(core: Core, slot: Slot) -> list[Slot]:
    found, end = [], slot.end - len(slot.data)
    for offset, request in enumerate(requests(slot.data)):
        one = slot.again()
        end += len(request.data)
        one.data, one.count, one.seq, one.end = request.data, 1, slot.seq + offset, end
        found.append(one)
    if slot.generation > core.proof.late:
        core.proof.unanswered[slot.generation] += len(found) - 1
    return found


def heard(core: Core, u: Upstream, slot: Slot) -> None:
    """The client is about to see (the beginning of) a reply that may tell about others' writes."""
    if slot.flags & ACQUIRES and u.place == 0:
        core.proof.floor = core.proof.generation


def settle(core: Core, u: Upstream, slot: Slot, *, unknown: bool = False) -> None:
    """*slot*, of *u*, has its reply; *unknown*: it may have run, or may run yet."""
    c = slot.client
    if u.place:
        read_done(core, c, slot.count)
        return
    c.at_master -= slot.count
    if c.at_master == 0:
        c.moved = False
    if slot.kind != READ and slot.writes():
        c.writes -= slot.count
        if slot.generation > c.oldest_write:
            c.oldest_write = slot.generation
        if slot.generation and (not proof.settled(core.proof, slot.generation) or unknown):
            proof.mark(core.proof, keys_of_slot(core, slot))


def read_done(core: Core, c: Client, count: int = 1) -> None:
    """So many reads of *c* at a replica are answered, or are somewhere else."""
    c.at_replica -= count
    if c.at_replica == 0:
        c.read.clear()
        if c.hold == FOR_READS:
            c.resumed = True
            make_dirty(core, c)


def reads_too(core: Core, c: Client, keys: Keys) -> bool:
    """Tell whether the client reads one of *keys* at a replica at the moment."""
    for i, read in enumerate(c.read):
        if isinstance(read, bytes):
            c.read[i] = read = keys_of_all(core, c.group, read)
        if keys is None or read is None or not set(keys).isdisjoint(read):
            return True
    return False


def wake_held(core: Core, group: Group) -> None:
    """Let clients of *group* go on that wait for its master."""
    for c in reversed(core.clients.values()):  # who is dirty last goes on first
        if c.hold == FOR_MASTER and c.group is group:
            c.resumed = True
            make_dirty(core, c)


def read_elsewhere(core: Core, u: Upstream, slot: Slot) -> bool:
    """Ask another replica what this one has not answered, once; False: there is none."""
    c = slot.client
    if slot.elsewhere or not core.reads_allowed or c.state >= DOOMED:
        return False
    keys = keys_of_slot(core, slot)
    to = _another_replica(core, u, keys)
    if to is None:
        return False
    again = slot.again()
    again.elsewhere, again.partial, again.began, again.odd = True, False, core.now, True
    to.append(again)
    c.read.append(keys)
    c.replica = to
    if c.place:
        core.places[c.place].clients -= 1
    c.place = to.place
    core.places[c.place].clients += 1
    core.resent += 1
    return True


def _another_replica(core: Core, u: Upstream, keys: Keys) -> Upstream | None:
    for i in range(1, PLACES):
        place, other = core.places[i], u.group.current[i]
        if i == u.place or not place.usable or other is None or other.stuck:
            continue
        if proof.proves(core, keys, place.covered):
            return other
    return None


def send_again(core: Core, u: Upstream, slot: Slot) -> None:
    """Send a request of *u* to the master, (again); its turn among its client's replies stays."""
    c = slot.client
    to = u.group.current[0]
    if u.place and c.at_master and c.master is not None and not c.master.collecting:
        to = c.master
    assert to is not None  # noqa: S101  (a group has one for its master always)
    if slot.generation:
        proof.settled(core.proof, slot.generation)  # it did not run
    again = slot.again()
    again.generation = 0
    if slot.writes() and to.fd != -1:
        again.generation = proof.mark_sent(core.proof, keys_of_slot(core, slot))
    again.began = core.now if to.fd != -1 else 0.0
    again.owed, again.silent = slot.replies, slot.told
    again.partial = again.refused = False
    again.odd = True
    if u.place:
        again.reason = WHY_RETRY
        read_done(core, c)
        c.at_master += 1
    elif u.collecting:
        c.moved = True
    to.append(again)
    c.master = to
    core.resent += 1
