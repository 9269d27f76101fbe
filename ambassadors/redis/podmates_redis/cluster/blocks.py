"""Transactions in a cluster: all keys of one are of one slot, whose shard may become known late. No I/O."""

from __future__ import annotations

from podmates_redis.cluster import disguise, redirects
from podmates_redis.cluster.hashing import slot_of
from podmates_redis.cluster.keys import keys_of
from podmates_redis.cluster.wants import Lead
from podmates_redis.commands.table import Kind
from podmates_redis.session import transacting
from podmates_redis.session.slots import Leg, Slot
from podmates_redis.session.transactions import AT_ONCE, Transaction
from podmates_redis.wire.requests import Request, encode

CROSSED = b"-CROSSSLOT Keys in request don't hash to the same slot\r\n"


def inside(guide: Lead, slot: Slot, block: Transaction) -> bool | None:
    """Let in what stands between MULTI and EXEC; as `Guide.admit`."""
    if (answer := disguise.disguised(slot, guide.session.shared.dialect)) is not None:
        disguise.queue(slot, answer)
    keys = keys_of(slot) if slot.plan.command.accepts(len(slot.args)) else []
    if not keys or block.doomed or slot.kind in AT_ONCE:
        return guide.stand(guide.rest)
    if guide.watched:
        guide.place = slot_of(guide.watched[0])  # wherever that may be: who was asked to watch can tell
    if guide.place < 0:
        leg = guide.leg(guide.map.owner(slot_of(keys[0])))
        if leg is not guide.rest and (told := _leave(guide, slot, block, leg)) is not None:
            return told
        guide.place = slot_of(keys[0]) if not block.doomed else -1
    if not block.doomed and {slot_of(key) for key in keys} != {guide.place}:
        guide.session.rested()
        return transacting.poison(guide.session, slot, CROSSED)
    return guide.stand(guide.rest)


def _leave(guide: Lead, slot: Slot, block: Transaction, leg: Leg) -> bool | None:
    """Take a transaction whose first key belongs to *leg* there; as `Guide.admit`, None when that is done."""
    session = guide.session
    session.rested()
    if session.master.collecting:
        return False
    if block.whole:
        _carry(guide, slot, block, leg)
        return None
    if session.master.queue:
        return False
    redirects.discard(session, slot)
    block.doomed = True
    return None


def seal(guide: Lead, slot: Slot, block: Transaction) -> None:
    """Have EXEC fail where a watched key may have come to be at the shard that its slot is moving to."""
    words = [b"EXISTS", *guide.watched]
    silent = Slot(Request(words, encode(*words)), slot.plan)
    silent.kind, silent.inside, silent.route, silent.block = Kind.PLAIN, True, "master", block
    silent.since = guide.session.shared.clock()
    guide.session.master.send(silent)
    then = slot.then

    def unsealed(reply: bytes) -> bytes | None:
        shown = without_last(reply)
        return then(shown) if then is not None else shown

    slot.then = unsealed


def without_last(reply: bytes) -> bytes:
    """Return an array without its last element, a number; anything else as it is."""
    head, _, body = reply.partition(b"\r\n")
    if head[:1] != b"*" or not head[1:].isdigit() or not int(head[1:]):
        return reply
    return b"*%d\r\n%b" % (int(head[1:]) - 1, body[: body.rindex(b":")])


def _carry(guide: Lead, slot: Slot, block: Transaction, leg: Leg) -> None:
    session = guide.session
    redirects.discard(session, slot)
    guide.rest = leg
    session.turn(leg)
    if leg.master.up and leg.master.state != session.state and not leg.master.queue:
        leg.master.close()
    for one in transacting.replayed(block, slot, len(block.requests)):
        session.master.send(one)
