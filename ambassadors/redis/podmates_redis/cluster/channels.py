"""Channels in a cluster: sharded ones are at the shard of their slot, all others at home. No I/O."""

from __future__ import annotations

from itertools import groupby

from podmates_redis.cluster.hashing import slot_of
from podmates_redis.cluster.wants import Lead
from podmates_redis.session.sending import also
from podmates_redis.session.slots import Leg, Slot

_TRIES = 100_000  # of names, until one is in a slot of the shard
_SHARDED = ("ssubscribe", "sunsubscribe")


def leg(guide: Lead, slot: Slot) -> Leg:
    """Return the leg for (un)subscribing; what is at several shards becomes several requests."""
    if slot.plan.command.name not in _SHARDED:
        return guide.home()
    names = slot.args[1:] or sorted(guide.session.subscriptions.sharded(), key=slot_of)
    if not names:
        return guide.home()
    first, *others = [
        list(run) for _, run in groupby(names, key=slot_of)
    ]  # a server takes one slot at a time
    if others:
        also(guide.session, slot, first, *others)
    return guide.leg(guide.map.owner(slot_of(first[0])))


def at(guide: Lead, name: bytes) -> bytes:
    """Return a channel whose name begins with *name*, of the shard where the session stands."""
    here = guide.session.leg
    found = (b"%b:%d" % (name, number) for number in range(_TRIES))
    return next((one for one in found if here is guide.leg(guide.map.owner(slot_of(one)))), name)


def listening(guide: Lead) -> Leg:
    """Return a leg that the server has in subscribed mode, if any."""
    plain, patterns, _ = guide.session.subscriptions.counts()
    sharded = guide.session.subscriptions.sharded()
    if plain or patterns or not sharded:
        return guide.home()
    return guide.leg(guide.map.owner(slot_of(next(iter(sharded)))))
