"""Counts a command whose reply leaves, and keeps it when it took long. No I/O."""

from __future__ import annotations

from typing import Protocol

from podmates_redis.commands.table import Kind
from podmates_redis.marks import Follower
from podmates_redis.roster.roster import Place
from podmates_redis.session.shared import Shared
from podmates_redis.session.slots import Leg, Slot
from podmates_redis.session.slowlog import Slow, shown
from podmates_redis.session.state import State
from podmates_redis.wire.replies import first_word

# what takes as long as its client wishes
_PATIENT = frozenset([Kind.BLOCKING, Kind.SUBSCRIBE, Kind.TUNNEL])


class Who(Protocol):
    """Whose command it is."""

    shared: Shared
    follower: Follower | None
    leg: Leg | None
    state: State
    place: Place
    id: int


def count(who: Who, slot: Slot) -> None:
    """Count *slot* of *who*; all of its reply is ready to leave."""
    shared, route, name = who.shared, slot.route, slot.plan.command.name
    tally, failed, took = shared.tally, slot.error(), shared.clock() - slot.since
    tally.commands[(name, route, "error" if failed else "ok")] += 1
    if failed:
        tally.error(first_word(slot.parts[0]))
    tally.took(name, route, took)
    node = _node(who, slot)
    if node and slot.ended and slot.began:
        tally.sent(route, node, slot.began - slot.since, slot.ended - slot.began)
    if slot.kind is Kind.READ:
        tally.reads[(route, slot.why, node)] += 1
    if took > shared.slowlog.threshold and slot.kind not in _PATIENT and shared.slowlog.takes(shared.clock()):
        _keep(who, slot, node, took)


def _node(who: Who, slot: Slot) -> str:
    """Return the name of the server that has answered *slot*."""
    follower, master = who.follower, who.shared.master_name
    if slot.leg is not None and slot.leg is not who.leg:
        follower, master = slot.leg.follower, slot.leg.shared.master_name
    if slot.route == "replica":
        return follower.name if follower else ""
    return master if slot.route == "master" else ""


def _keep(who: Who, slot: Slot, node: str, took: float) -> None:
    sent = slot.began or slot.since + took
    entry = Slow(
        id=0,
        at=slot.since + took,
        took=took,
        queued=sent - slot.since,
        served=max(0.0, slot.ended - sent) if slot.began else 0.0,
        words=shown(slot.args, slot.plan.command.name != "other"),
        client=who.id,
        addr=who.place.addr,
        name=who.state.name,
        route=slot.route,
        node=node,
        size=slot.passed + sum(map(len, slot.parts)),
    )
    who.shared.slowlog.add(entry)
