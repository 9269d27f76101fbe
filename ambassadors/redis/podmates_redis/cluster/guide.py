"""Leads the session of one client of a cluster from shard to shard. No I/O.

The law of this file
 1. What changes anything goes to another shard only when all before it is answered, so that the effects of
    one client come in its order; reads may be on their way to several shards.
 2. From MULTI or WATCH to the end, and while it waits, the client rests on the leg of that key; else at home,
    which all clients share.
 3. A connection that has refused a command sends nothing more until it owes nothing; what it has refused goes
    on in order (`redirects`).
"""

from __future__ import annotations

from collections.abc import Callable

from podmates_redis.cluster import blocks, channels, disguise, fanning, monitors, redirects
from podmates_redis.cluster.hashing import slot_of
from podmates_redis.cluster.keys import ends_block, keys_of
from podmates_redis.cluster.wants import Map, Shard
from podmates_redis.commands.table import Kind
from podmates_redis.session.sending import join
from podmates_redis.session.session import Session
from podmates_redis.session.slots import Leg, Slot
from podmates_redis.session.transactions import Transaction

# answered here, wherever the session stands
_FREE = frozenset([Kind.LOCAL, Kind.QUIT, Kind.FOREIGN, Kind.REPLY, Kind.SECTION])
_BINDING = frozenset([Kind.MULTI, Kind.WATCH, Kind.BLOCKING])
_ENDING = frozenset([Kind.EXEC, Kind.DISCARD, Kind.UNWATCH])
_AHEAD = 64  # requests that are looked through for the first key of a transaction


class Guide:
    """Leads *session* by *map*; *opened* is called with a new leg and its shard."""

    def __init__(self, session: Session, map: Map, opened: Callable[[Leg, Shard], None]) -> None:
        self.session, self.map, self._opened = session, map, opened
        self.legs: dict[int, Leg] = {}
        self.later: list[Slot] = []  # what goes on when `due` is over
        self.due = 0.0  # seconds to wait, for the shell to take
        self._kept: Slot | None = None  # waits for what is at other shards
        self._barrier: Slot | None = None  # the last one that was no read
        self._joint: list[Slot] = []  # those with several keys: they may have to wait for one of them
        self.place = -1  # the slot of the transaction's keys
        self.watched: list[bytes] = []  # keys, all of one slot
        self.rest = self.home()
        session.turn(self.rest)
        session.guide = self

    def leg(self, shard: Shard) -> Leg:
        """Return the leg to *shard*."""
        found = self.legs.get(shard.number)
        if found is None:
            found = self.legs[shard.number] = Leg(shard.number, shard.shared)
            self._opened(found, shard)
        return found

    def home(self) -> Leg:
        """Return the leg for what names no key."""
        found = self.leg(self.map.home())
        found.holds = True
        return found

    def owner(self, slot: Slot) -> Leg | None:
        """Return the leg to who serves the first key of *slot*, if it names any."""
        keys = keys_of(slot)
        return self.leg(self.map.owner(slot_of(keys[0]))) if keys else None

    # -- letting in ------------------------------------------------------------------

    def admit(self, slot: Slot) -> bool | None:
        session = self.session
        if self.later:
            return False
        if slot.kind in _FREE:
            if slot.kind is Kind.LOCAL and session.subscriptions.active():
                session.turn(channels.listening(self))
            return None
        if session.transaction is not None:
            self._barrier = slot
            return blocks.inside(self, slot, session.transaction)
        self._unbind()
        if slot.kind is Kind.WATCH and len({slot_of(key) for key in (*self.watched[:1], *keys_of(slot))}) > 1:
            join(session, slot)
            session.tell(slot, blocks.CROSSED)
            return True
        if (text := disguise.confined(session, slot)) is not None:
            join(session, slot)
            session.tell(slot, text)
            return True
        if (told := disguise.answered(session, slot)) is not None:
            return told
        if slot.plan.command.name == "monitor" and slot.plan.command.accepts(len(slot.args)):
            return monitors.begin(self, slot)
        leg = self._choose(slot)
        if not self._may_go(slot, leg):
            self._kept = slot
            return False
        if self._kept is slot:
            slot.since = session.shared.clock()  # no server has kept it waiting
            self._kept = None
        if slot.kind in _BINDING:
            self.rest, self.place = leg, -1
        if slot.kind is Kind.WATCH:
            self.watched += keys_of(slot)
        fanning.spread(self, slot)
        return self.stand(slot.leg or leg)

    def _unbind(self) -> None:
        """Rest at home again when nothing ties the client to another shard."""
        session = self.session
        bound = session.watching or session.watched or session.open or session.blocked is not None
        if not bound:
            self.rest = self.home()
            self.watched.clear()

    def _choose(self, slot: Slot) -> Leg:
        session = self.session
        if slot.kind in _ENDING or (session.watching and slot.kind in (Kind.MULTI, Kind.STATE)):
            return self.rest
        if slot.kind is Kind.MULTI:
            return self._ahead() or self.home()
        if slot.kind is Kind.SUBSCRIBE:
            found = channels.leg(self, slot)
            found.holds = True
            return found
        return self.owner(slot) or self.home()

    def _ahead(self) -> Leg | None:
        """Return the leg for the first key of the transaction that begins, if that is here already."""
        for number, slot in enumerate(self.session.held):
            if number > _AHEAD or (number and ends_block(slot)):
                break
            if (leg := self.owner(slot)) is not None:
                return leg
        return None

    def _may_go(self, slot: Slot, leg: Leg) -> bool:
        """Tell whether what is on its way to other shards lets *slot* go to *leg* now."""
        barrier = self._barrier
        if barrier is not None and not barrier.done and barrier.leg is not leg and barrier is not slot:
            return False
        if self._joint:
            self._joint = [one for one in self._joint if not one.done and one is not slot]
            if any(slot.kind is not Kind.READ or one.kind is not Kind.READ for one in self._joint):
                return False
        if len(keys_of(slot)) > 1:
            self._joint.append(slot)
        if slot.kind is Kind.READ and not fanning.spreads(slot):
            return True
        if any(other is not leg and other.busy() for other in self._others()):
            return False
        self._barrier = slot
        return True

    def _others(self) -> list[Leg]:
        return list(self.legs.values())

    def stand(self, leg: Leg) -> bool | None:
        """Turn to *leg*; as `admit`."""
        self.session.turn(leg)
        if leg.master.collecting:
            return False
        self._freshen(leg)
        return None

    def _freshen(self, leg: Leg) -> None:
        """Leave a connection that is in another state than the client's; the next one begins in that."""
        session, lane = self.session, leg.master
        bound = session.watching or session.transaction is not None
        if lane.up and lane.state != session.state and not lane.queue and not bound and not session.unsettled:
            lane.close()

    # -- what servers refuse ------------------------------------------------------------

    def refuses(self, slot: Slot) -> bool:
        return redirects.refuses(slot)

    def refused(self, slot: Slot) -> bool | None:
        return redirects.refused(self, slot)

    def seal(self, slot: Slot, block: Transaction) -> None:
        blocks.seal(self, slot, block)

    def resend(self) -> None:
        redirects.resend(self)

    def go_on(self) -> None:
        """The time of `due` is over: send what has waited for it."""
        redirects.go_on(self)

    def relead(self) -> bool:
        """Take what waits for a connection to a shard that does not serve it any more away from there."""
        if self.session.monitoring and not self.map_numbers().keys() <= self.legs.keys():
            self.session.because("upstream")
            self.session.abort = True  # a shard has come that it does not hear
            return True
        before = len(self.later)
        for leg in self._others():
            if leg.master.up or not leg.master.queue:
                continue
            strayed = [
                one for one in leg.master.queue if one.block is None and self.owner(one) not in (None, leg)
            ]
            for one in strayed:
                leg.master.queue.remove(one)
            self.later += strayed
        if len(self.later) > before:
            self.due = self.due or redirects.SOON
        return len(self.later) > before

    def leave(self, leg: Leg) -> None:
        """The shard of *leg* is gone: what has not run there goes where its keys are."""
        if self.rest is leg:
            self.rest = self.home()
        self.session.turn(self.rest)
        self.later += leg.master.queue
        self.due = self.due or redirects.SOON

    # -- what the session asks ------------------------------------------------------------

    def again(self, slot: Slot) -> None:
        leg = slot.leg or self.rest
        self.send(slot, leg, *fanning.first(self, slot, leg))

    def send(self, slot: Slot, leg: Leg, *before: Slot) -> None:
        """Send *slot* to *leg*, right behind *before*, and stand where the session stood."""
        session, here = self.session, self.session.leg
        if self.legs.get(leg.number) is not leg:
            leg = self.home()  # its shard is gone
        session.turn(leg)
        for one in before:
            session.master.send(one)
        slot.leg, slot.refusal = leg, b""
        leg.holds = leg.holds or slot.kind is Kind.SUBSCRIBE
        session.to_master(slot, slot.why)
        session.turn(here)

    def toward(self, slot: Slot) -> None:
        if slot.leg is not None and slot.leg.number in self.map_numbers():
            self.session.turn(self.leg(self.map_numbers()[slot.leg.number]))

    def map_numbers(self) -> dict[int, Shard]:
        return {shard.number: shard for shard in self.map.all()}

    def pending(self) -> int:
        lanes = (lane for leg in self.legs.values() for lane in (leg.master, leg.replica))
        return len(self.later) + sum(len(lane.queue) for lane in lanes if not lane.up)

    def reset(self) -> None:
        session = self.session
        for leg in self._others():
            leg.master.close()
            leg.replica.close()
            leg.holds = leg.echoes = False
            leg.begun.clear()
        self.rest = self.home()
        session.turn(self.rest)

    def channel(self, name: bytes) -> bytes:
        return channels.at(self, name)

    def heard(self, data: bytes) -> bytes:
        session = self.session
        return monitors.lines(self, session.leg, data) if session.monitoring and session.leg else data

    def total(self, frame: bytes) -> bytes:
        return fanning.counted(frame, self.session.subscriptions.counts()[2])
