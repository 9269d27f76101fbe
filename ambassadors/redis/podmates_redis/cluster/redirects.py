"""What a server of a cluster has not run: where it goes on, or when. No I/O."""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from podmates_redis.cluster import slotmap
from podmates_redis.cluster.hashing import slot_of
from podmates_redis.cluster.keys import keys_of
from podmates_redis.cluster.slotmap import Place
from podmates_redis.cluster.wants import Lead
from podmates_redis.commands.table import Kind
from podmates_redis.session import losing, routing
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Leg, Slot, dropped
from podmates_redis.session.transacting import replayed
from podmates_redis.session.transactions import ROUNDS
from podmates_redis.session.waiting import rest
from podmates_redis.wire import texts
from podmates_redis.wire.replies import first_word
from podmates_redis.wire.requests import encode

WORDS = frozenset([b"MOVED", b"ASK", b"TRYAGAIN", b"CLUSTERDOWN"])
_ELSEWHERE = frozenset([b"MOVED", b"ASK"])
MOST_HOPS = 5  # redirections at once; more come slowly
SOON = 0.001  # seconds
_TRY_AGAIN, _SLOWLY, _UNKNOWN, _LONGEST = 0.01, 0.1, 0.05, 0.4  # seconds
_ASKING, _DISCARD, _UNWATCH = encode(b"ASKING"), encode(b"DISCARD"), encode(b"UNWATCH")
# a script may make up errors that begin so
_SERVERS_OWN = re.compile(
    rb"-(TRYAGAIN Multiple keys|CLUSTERDOWN (Hash slot not served|The cluster is down))"
)
_DOWN = b"-CLUSTERDOWN Hash slot not served\r\n"


class Way(NamedTuple):
    """Where a refused request goes on."""

    leg: Leg | None  # None: the shard where it was, on a new connection
    asking: bool = False
    delay: float = 0.0  # seconds


def refuses(slot: Slot) -> bool:
    """Tell whether the error that *slot* got says that it has not run, and would elsewhere."""
    word = first_word(slot.parts[0])
    if word == b"EXECABORT" and slot.block is not None:
        return slot.block.spoilt and slot.block.whole and bool(slot.block.refusal)
    return word in WORDS and not (slot.script() and _made_up(slot))


def _made_up(slot: Slot) -> bool:
    """Tell whether a script has made its error up: no server says that of its keys."""
    told, keys = slotmap.moved(slot.parts[0]), keys_of(slot)
    if told is None:
        return _SERVERS_OWN.match(slot.parts[0]) is None
    return not keys or told[0] != slot_of(keys[0])


def _unknown(guide: Lead, slot: Slot, place: Place) -> bool:
    """Tell whether a script may have named *place*, where nobody is to be given our login."""
    return slot.script() and not guide.map.knows(place)


def refused(guide: Lead, slot: Slot) -> bool | None:
    """Say what becomes of *slot*, which has not run: it goes on, it is answered, or (None) as ever."""
    if not refuses(slot):
        return None
    session, block, word = guide.session, slot.block, first_word(slot.parts[0])
    if slot.inside:
        if block is not None:
            block.refusal = slot.parts[0]
        return None
    if slot.kind is Kind.BLOCKING:
        _waited(session, slot)
    in_time = session.shared.clock() - session.since(slot) <= session.shared.policy.failover_wait
    if slot.kind is Kind.EXEC and block is not None:
        if in_time and block.may_go_again(ROUNDS):
            if word not in WORDS:
                session.forget(slot)
                session.keep(slot, block.refusal)  # why it failed
            block.rounds, block.spoilt, session.open = block.rounds + 1, False, False
            session.master.queue.extend(replayed(block, slot, len(block.requests) - 1))
            return True
        slot.answer = texts.NULL_ARRAY[session.state.protocol] if block.watched else texts.ABORTED
        return False
    slot.refusal = slot.parts[0]
    told = slotmap.moved(slot.refusal)
    if told is not None and slot.hops > MOST_HOPS and _unknown(guide, slot, told[1]):
        return False
    if not in_time and word in _ELSEWHERE:
        slot.answer = _DOWN
    return in_time


def _waited(session: Session, slot: Slot) -> None:
    """Let a wait that has lasted go on elsewhere for the rest of its time."""
    waited = session.shared.clock() - slot.began
    if waited < _SLOWLY:
        return
    slot.since, slot.hops = session.shared.clock(), 0
    words = rest(slot.args, waited)
    if words is not None:
        slot.args, slot.raw = words, encode(*words)


def discard(session: Session, like: Slot) -> None:
    """Let the master forget the transaction that was begun there."""
    session.master.send(dropped(like, _DISCARD))
    session.open = False


def resend(guide: Lead) -> None:
    """Send what a connection has refused, and what has waited behind that, on in order."""
    session = guide.session
    lane, here = session.master, session.leg
    waiting, lane.queue, lane.collecting = list(lane.queue), deque(), False
    ways = _ways(guide, waiting)
    for slot in waiting:
        if slot.block is not None:
            slot.block.again = False
    stay = [slot for slot, way in zip(waiting, ways, strict=True) if way.leg is None]
    if stay:
        lane.queue.extend(stay)
        losing.resend(session)
    for slot, way in zip(waiting, ways, strict=True):
        if way.leg is None:
            continue
        session.settle(slot)
        _go(guide, slot, way)
    session.turn(here)


def _go(guide: Lead, slot: Slot, way: Way) -> None:
    if slot.block is not None and slot.block is guide.session.transaction:
        guide.rest = way.leg or guide.rest
    elif slot.kind in (Kind.WATCH, Kind.BLOCKING) and way.leg is not None:
        _bind(guide, slot, way.leg)
    if way.delay or guide.later:
        guide.later.append(slot)
        guide.due = max(guide.due, way.delay)
        slot.leg = way.leg
        return
    assert way.leg is not None  # noqa: S101  (for the type checker: the caller looked)
    begins = slot.block is None or slot.kind is Kind.MULTI  # ASKING holds until EXEC
    asking = [dropped(slot, _ASKING)] if way.asking and begins and not slot.done else []
    guide.send(slot, way.leg, *asking)


def _bind(guide: Lead, slot: Slot, leg: Leg) -> None:
    """Let the client rest where *slot* goes; what it has watched elsewhere counts as changed."""
    session = guide.session
    if slot.kind is Kind.WATCH and session.watched and leg is not guide.rest:
        session.watched, session.watch_lost = False, True
        session.master.send(dropped(slot, _UNWATCH))
    guide.rest = leg


def _ways(guide: Lead, waiting: list[Slot]) -> list[Way]:
    """Return the way of each; the parts of a transaction go together."""
    here = guide.session.leg
    blocks: dict[int, Way] = {}
    found = []
    for slot in waiting:
        if slot.block is not None and first_word(slot.refusal) and id(slot.block) not in blocks:
            blocks[id(slot.block)] = _way(guide, slot)
    for slot in waiting:
        if slot.block is not None:
            found.append(blocks.get(id(slot.block), Way(here)))
        else:
            found.append(_way(guide, slot) if slot.refusal else Way(here))
    return found


def _way(guide: Lead, slot: Slot) -> Way:
    word, here = first_word(slot.refusal), guide.session.leg
    if word not in WORDS:
        return Way(None)
    slot.hops += 1
    slow = min(_SLOWLY * (slot.hops - MOST_HOPS), _LONGEST) if slot.hops > MOST_HOPS else 0.0
    if word == b"TRYAGAIN":
        return Way(guide.owner(slot) or here, delay=min(_TRY_AGAIN * 2**slot.hops, _LONGEST))
    if word == b"CLUSTERDOWN":
        guide.map.doubt()
        return Way(guide.owner(slot) or here, delay=_SLOWLY)
    place = slotmap.moved(slot.refusal)
    if place is None:
        return Way(here, delay=_LONGEST)
    shard = None
    if not _unknown(guide, slot, place[1]):
        shard = guide.map.moved(*place) if word == b"MOVED" else guide.map.at(place[1])
    if shard is None:
        guide.map.doubt()
        return Way(guide.owner(slot) or here, delay=_UNKNOWN)
    leg = guide.leg(shard)
    if leg is here:  # another server of this shard is its master now
        slot.refusal = _DOWN  # should that one not be found in time
        return Way(None)
    if word == b"ASK":
        return Way(leg, asking=True)  # the next server takes it, or says where the slot is
    return Way(leg, delay=slow)


def go_on(guide: Lead) -> None:
    """Send what has had its time to wait, each to who serves it now."""
    session, here = guide.session, guide.session.leg
    moving = [slot for slot in guide.later if not slot.done]
    guide.later, guide.due = [], 0.0
    policy = session.shared.policy
    limit = min(policy.failover_wait, policy.op_timeout or policy.failover_wait)
    for slot in moving:
        leg = _leg_now(guide, slot, moving)
        if session.shared.clock() - session.since(slot) > limit and slot.block is None:
            session.turn(leg)
            word = first_word(slot.refusal)
            losing.answer(session, slot, _DOWN if word in _ELSEWHERE else slot.refusal or texts.TIMED_OUT)
        else:
            if slot.kind in (Kind.WATCH, Kind.BLOCKING) and slot.block is None:
                guide.rest = leg
            guide.send(slot, leg)
    session.turn(here)
    routing.proceed(session)


def _leg_now(guide: Lead, slot: Slot, moving: list[Slot]) -> Leg:
    if slot.block is not None:
        owners = (guide.owner(one) for one in moving if one.block is slot.block)
        leg = next((leg for leg in owners if leg is not None), None) or slot.leg or guide.rest
        if slot.block is guide.session.transaction:
            guide.rest = leg
        return leg
    return guide.owner(slot) or slot.leg or guide.rest
