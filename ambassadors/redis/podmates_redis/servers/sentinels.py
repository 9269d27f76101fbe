"""Asks sentinels which servers there are and who is the master, and hears of changes at once.

Nothing is written to a server because a sentinel says so: the server has to say so too (`election`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from redis.exceptions import ResponseError

from podmates_common.health import Health
from podmates_common.logs import Condition
from podmates_common.parse import Address
from podmates_redis.servers import claims
from podmates_redis.servers.asking import Asker, Unanswered
from podmates_redis.servers.claims import View
from podmates_redis.servers.election import Claim

log = logging.getLogger(__name__)

COMPONENT = "sentinels"  # at /readyz
_CALM = 5.0  # seconds between questions when nothing happens: messages can be lost
_BUSY = 0.2  # while there is a failover, or no master
_LEAST = 0.05  # however many messages there are
_PROMOTION = 10.0  # seconds from the choice of a replica to its being the master, at most
_ALONE = 10.0  # seconds without any sentinel after which the servers' own words have to do
_EVENTS = (
    *("+switch-master", "+slave", "+sdown", "-sdown", "+odown", "-odown", "+reboot", "+convert-to-slave"),
    *("+failover-end", "+reset-master", "+try-failover", "+promoted-slave", "+config-update-from"),
    *("+failover-state-reconf-slaves", "+slave-reconf-done", "+sentinel", "+selected-slave"),
    *("-failover-abort-no-good-slave", "-failover-abort-not-elected", "-failover-abort-slave-timeout"),
    "-failover-abort-master-is-back",
)


class Servers(Protocol):
    """Who wants to know."""

    def watch(self, addresses: Iterable[Address]) -> None: ...
    def watched(self) -> list[Address]: ...
    def master(self) -> Address | None: ...
    def claimed(self, claim: Claim | None) -> None: ...
    def away(self) -> bool: ...
    def suspect(self) -> None: ...
    def resign(self, successor: str) -> None: ...
    def reinstate(self) -> None: ...
    async def troubled(self) -> None: ...


class _Sentinel:
    """One of them."""

    def __init__(self, address: Address, asker: Asker) -> None:
        self.address, self.asker = address, asker
        self.view: View | None = None
        self.problem = "not asked yet"
        self.asked_at = float("-inf")  # the question that is answered in the view
        self.kick = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.replicas = "REPLICAS"

    async def ask(self, master: str) -> None:
        """Take up what it says."""
        topics = ("GET-MASTER-ADDR-BY-NAME", "MASTER", self.replicas, "SENTINELS")
        questions, asked_at = [("SENTINEL", topic, master) for topic in topics], time.monotonic()
        try:
            place, about, replicas, others, me = await self.asker.ask_each(*questions, ("SENTINEL", "MYID"))
            if isinstance(replicas, ResponseError) and self.replicas == "REPLICAS":
                self.replicas = "SLAVES"  # before 5.0; asked so the next time
            for reply in (place, about):
                if isinstance(reply, ResponseError):
                    raise Unanswered(f"says: {reply}")
            listed = [] if isinstance(replicas, ResponseError) else replicas
            self.view, self.problem = claims.view(place, about, listed, others, me=me), ""
            self.asked_at = asked_at
        except (Unanswered, ValueError) as error:
            self.view, self.problem = None, str(error)

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.asker.close()


class Sentinels:
    """The sentinels of one master: those of the settings, and those that these know."""

    def __init__(
        self,
        addresses: Sequence[Address],
        master: str,
        ask: Callable[[Address], Asker],
        *,
        health: Health,
    ) -> None:
        self._seeds, self._master, self._ask, self._health = addresses, master, ask, health
        health.expect(COMPONENT, within=float("inf"), critical=False)
        self._all: dict[str, _Sentinel] = {}
        self._condition = Condition(log, "sentinels")
        self._heard_at = time.monotonic()
        self._selected, self._selected_at = "", float("-inf")  # who is about to be promoted

    async def follow(self, topology: Servers) -> None:
        """Keep *topology* watching the servers that the sentinels know, for ever."""
        self._topology = topology
        listening = asyncio.get_running_loop().create_task(self._alarmed())
        try:
            while True:
                self._keep(claims.sentinels(self._seeds, self._views()))
                await asyncio.sleep(_CALM / 2)
                if not self._views() and time.monotonic() - self._heard_at > _ALONE:
                    topology.claimed(None)
        finally:
            listening.cancel()
            for sentinel in self._all.values():
                sentinel.close()

    def up(self) -> list[tuple[tuple[str], int]]:
        """Return each sentinel and whether it answers, for the metrics."""
        return [((name,), int(one.view is not None)) for name, one in self._all.items()]

    def _views(self) -> list[View]:
        return [one.view for one in self._all.values() if one.view is not None]

    def _keep(self, places: Iterable[tuple[str, int]]) -> None:
        """Ask exactly those at *places*."""
        wanted = {str(Address(*place)): Address(*place) for place in places}
        for name in [name for name in self._all if name not in wanted]:
            log.info("sentinel %s is not known to the others any more", name)
            self._all.pop(name).close()
        for name, address in wanted.items():
            if name not in self._all:
                one = self._all[name] = _Sentinel(address, self._ask(address))
                loop = asyncio.get_running_loop()
                one.tasks = [loop.create_task(self._poll(one)), loop.create_task(self._hear(one))]

    async def _poll(self, one: _Sentinel) -> None:
        while True:
            try:
                await one.ask(self._master)
                self._conclude()
            except Exception as error:  # a fault of ours must not end the asking
                log.exception("asking the sentinel %s", one.address)
                one.view, one.problem = None, f"internal error: {error!r}"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause(one)):
                    await one.kick.wait()
            one.kick.clear()
            await asyncio.sleep(_LEAST)

    def _pause(self, one: _Sentinel) -> float:
        busy = self._topology.away() or (one.view is not None and one.view.busy)
        return _BUSY if busy else _CALM * (0.8 + 0.2 * random.random())  # noqa: S311  (no secret)

    async def _hear(self, one: _Sentinel) -> None:
        while True:
            with contextlib.suppress(Unanswered):
                await one.asker.hear(_EVENTS, self._heard)
            await asyncio.sleep(1.0)
            one.kick.set()  # something may have happened meanwhile

    def _heard(self, channel: str, message: str) -> None:
        if not claims.about(channel, message, self._master):
            return
        log.debug("a sentinel says %s %s", channel, message)
        if channel == "+selected-slave":
            self._select(claims.subject(message))
        elif channel.startswith("-failover-abort"):
            self._selected = ""
            self._topology.reinstate()
        self._kick()
        self._topology.suspect()

    async def _alarmed(self) -> None:
        while True:
            await self._topology.troubled()
            self._kick()

    def _kick(self) -> None:
        for one in self._all.values():
            one.kick.set()

    def _select(self, place: tuple[str, int] | None) -> None:
        """A failover has chosen the replica at *place*, and will promote it in a moment."""
        if place is not None:
            self._selected, self._selected_at = str(Address(*place)), time.monotonic()
            self._topology.resign(self._selected)

    def _conclude(self) -> None:
        """Tell what all of them together say."""
        views = claims.distinct(self._views())
        faults = "; ".join(f"{name}: {one.problem}" for name, one in self._all.items() if one.problem)
        if not views:
            self._health.fail(COMPONENT, f"none answers ({faults})")
            self._condition.fail(faults)
            return
        self._condition.ok()
        self._heard_at = time.monotonic()
        agreed, newest = claims.claim(views, claims.known(views))
        if faults:
            self._health.fail(COMPONENT, f"{len(self._views())} of {len(self._all)} answer ({faults})")
        elif agreed is None:
            self._health.fail(COMPONENT, "no master is named by most of them")
        else:
            self._health.ok(COMPONENT)
        if agreed is None and any(one.problem == "not asked yet" for one in self._all.values()):
            return  # at the start the first to answer may be the only one that is wrong
        topology = self._topology
        found = claims.servers(views, topology.watched())
        # one that they forget is not forgotten here while it is the master: servers decide roles
        topology.watch([*(Address(*place) for place in found), *filter(None, [topology.master()])])
        # named early, and believed only if it says that it is the master and continues the history of ours
        selected = self._selected if time.monotonic() - self._selected_at < _PROMOTION else ""
        topology.claimed(
            Claim(
                agreed=str(Address(*agreed)) if agreed else "",
                newest=selected or str(Address(*newest)),
                undecided=claims.undecided(views),
                asked=min(one.asked_at for one in self._all.values() if one.view is not None),
            )
        )
