"""Sends what is about all keys to every shard, one after the other. No I/O."""

from __future__ import annotations

import re

from podmates_redis.cluster import gathering
from podmates_redis.cluster.wants import Lead, Shard
from podmates_redis.commands import families
from podmates_redis.commands.table import Kind
from podmates_redis.session.slots import Leg, Slot, dropped
from podmates_redis.session.splitting import before_wait
from podmates_redis.wire.requests import encode

_INFO_OF_ALL = frozenset([b"keyspace", b"all", b"everything", b"default"])
_SHARDED_COUNT = re.compile(rb"(?s)\A([*>]3\r\n\$\d+\r\ns(?:un)?subscribe\r\n.*\r\n):\d+\r\n\Z")
_BAD_CURSOR = b"-ERR invalid cursor\r\n"


def spreads(slot: Slot) -> bool:
    """Tell whether *slot* is for more than one shard."""
    name = slot.plan.command.name
    return name in gathering.COMBINE or name in ("info", "scan")


def spread(guide: Lead, slot: Slot) -> None:
    """Prepare *slot*, if it is for every shard, and give it the leg of the first one."""
    name = slot.plan.command.name
    slot.leg = None
    if not spreads(slot) or not slot.plan.command.accepts(len(slot.args)):
        return
    if name == "scan":
        _scan(guide, slot)
    elif name == "info":
        _info(guide, slot)
    else:
        _ask_all(guide, slot, name)


def _ask_all(guide: Lead, slot: Slot, name: str) -> None:
    if slot.kind is Kind.KILL:
        slot.kind = Kind.PLAIN
    legs, replies = _legs(guide, name), list[bytes]()
    slot.leg = legs.pop(0)

    def take(reply: bytes) -> bytes | None:
        replies.append(reply)
        if gathering.enough(name, reply) or not legs:
            return reply if gathering.enough(name, reply) else gathering.COMBINE[name](replies)
        slot.leg = legs.pop(0)
        return None

    slot.then = take


def _legs(guide: Lead, name: str) -> list[Leg]:
    """Return the legs that *name* goes to, in order."""
    home = guide.home()
    legs = [home, *(leg for shard in guide.map.all() if (leg := guide.leg(shard)) is not home)]
    if name in families.COUNTING:  # about what this client has written
        return [leg for leg in legs if leg.master.wrote] or legs[:1]
    if name == "randomkey":
        turn = int(guide.session.shared.chance() * len(legs))
        return [*legs[turn:], *legs[:turn]]
    return legs


def first(guide: Lead, slot: Slot, leg: Leg) -> list[Slot]:
    """Return what is sent to *leg* right before *slot*, which goes on there."""
    if not slot.plan.command.counts:
        return []
    here = guide.session.leg
    guide.session.turn(leg)
    words = before_wait(guide.session)
    guide.session.turn(here)
    return [dropped(slot, encode(*words))]


def _info(guide: Lead, slot: Slot) -> None:
    sections = {word.lower() for word in slot.args[1:]}
    legs, replies = _legs(guide, "info"), list[bytes]()
    if sections and not sections & _INFO_OF_ALL:
        del legs[1:]
    slot.leg = legs.pop(0)

    def take(reply: bytes) -> bytes | None:
        replies.append(reply)
        if legs and reply[:1] != b"-":
            slot.leg = legs.pop(0)
            return None
        return gathering.told(replies, guide.session.state.protocol)

    slot.then = take


def _scan(guide: Lead, slot: Slot) -> None:
    """Send SCAN to the shard that its cursor belongs to, with that shard's own cursor."""
    shards = sorted(guide.map.all(), key=lambda shard: shard.number)
    found = gathering.taken_apart(slot.args[1])
    if found is None:
        return  # the server has the words
    number, cursor = found
    shard = _shard(shards, number) if number else shards[0]
    if shard is None:
        slot.then = lambda reply: _BAD_CURSOR
        return
    later = [one.number for one in shards if one.number > shard.number]
    slot.leg = guide.leg(shard)
    slot.raw = encode(slot.args[0], b"%d" % cursor, *slot.args[2:])
    slot.then = lambda reply: gathering.scanned(reply, shard.number, later[0] if later else 0)


def _shard(shards: list[Shard], number: int) -> Shard | None:
    return next((shard for shard in shards if shard.number == number), None)


def counted(frame: bytes, sharded: int) -> bytes:
    """Return an acknowledgement of a sharded channel with the number of them at all shards."""
    return _SHARDED_COUNT.sub(rb"\g<1>:%d\r\n" % sharded, frame)
