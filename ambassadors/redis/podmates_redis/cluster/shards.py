"""The shards of a cluster: each is a master with replicas, watched like any other; who serves which slot."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.cluster.gathering import MOST_SHARDS
from podmates_redis.cluster.hashing import SLOTS
from podmates_redis.cluster.slotmap import Place, View, inherited, matched
from podmates_redis.cluster.slotmap import shards as grouped
from podmates_redis.marks import Follower, Marks
from podmates_redis.servers.topology import Topology
from podmates_redis.session.shared import Shared

log = logging.getLogger(__name__)

_GRACE = 1.0  # seconds for what is on its way to a shard that has no slots any more
_GUEST = 60.0  # seconds for which a shard without slots is kept that slots may be moving to
_FRESH = 3.0  # seconds for which MOVED counts for more than what most nodes say: they hear of it later

Build = Callable[[Shared, Health], Topology]


class Shard:
    """One master and its replicas."""

    def __init__(self, number: int, shared: Shared, topology: Topology, health: Named) -> None:
        self.number, self.shared, self.topology, self.health = number, shared, topology, health
        self.nodes: frozenset[Place] = frozenset()
        self.named_at = float("-inf")  # when a server last sent us there

    def watch(self, nodes: Iterable[Place]) -> None:
        """Let exactly *nodes* be its servers."""
        found = frozenset(nodes)
        if found != self.nodes:
            self.nodes = found
            self.topology.watch((Address(*place) for place in sorted(found)), gently=True)


class Kin(Marks):
    """The marks of one shard: what a client was told at one shard counts at all of them."""

    def __init__(self, family: list[Kin]) -> None:
        super().__init__()
        self._family = family
        family.append(self)

    def acquire(self) -> None:
        for one in self._family:
            one.floor = one.generation


class Named(Health):
    """The reports about one shard, under its name."""

    def __init__(self, health: Health, name: str) -> None:
        super().__init__()
        self._health, self._name = health, name

    def expect(self, name: str, *, within: float, critical: bool = True) -> None:
        self._health.expect(f"{name} of {self._name}", within=within, critical=critical)

    def ok(self, name: str) -> None:
        self._health.ok(f"{name} of {self._name}")

    def fail(self, name: str, problem: str) -> None:
        self._health.fail(f"{name} of {self._name}", problem)

    def away(self) -> None:
        """Report no more."""
        for name in ("master", "replica"):
            self._health.forget(f"{name} of {self._name}")


class Dependent(Protocol):
    """Who has connections to shards."""

    def retire(self, shard: Shard) -> None: ...
    def relead(self) -> None: ...


class Shards:
    """All shards, and the owner of each slot."""

    def __init__(self, shared: Shared, health: Health, build: Build) -> None:
        self._shared, self._health, self._build = shared, health, build
        self.dependents: set[Dependent] = set()
        self.known = False  # a map was learnt
        self._shards: dict[int, Shard] = {}
        self._owners: list[Shard | None] = [None] * SLOTS
        self._told: dict[int, float] = {}  # when a server last said where a slot is
        self._home: Shard | None = None
        self._family: list[Kin] = []
        self._last = 0
        self._leaving: set[asyncio.Task[None]] = set()
        self._doubt = asyncio.Event()

    # -- what clients ask ------------------------------------------------------------

    def owner(self, slot: int) -> Shard:
        """Return who serves *slot*; home, whose server has the words, when nobody does."""
        return self._owners[slot] or self.home()

    def home(self) -> Shard:
        """Return the shard for what names no key."""
        if self._home is None:
            self._home = self._new()
        return self._home

    def all(self) -> list[Shard]:
        """Return every shard that serves slots."""
        serving = set(self._owners)
        return [shard for shard in self._shards.values() if shard in serving] or [self.home()]

    def every(self) -> list[Shard]:
        """Return every shard, also those that serve no slots."""
        return list(self._shards.values())

    def slots(self, shard: Shard) -> str:
        """Return the slots of *shard*: ``0-5460,7000``."""
        runs: list[list[int]] = []
        for slot, owner in enumerate(self._owners):
            if owner is not shard:
                continue
            if runs and runs[-1][1] == slot - 1:
                runs[-1][1] = slot
            else:
                runs.append([slot, slot])
        return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)

    def knows(self, place: Place) -> bool:
        """Tell whether a server of the cluster is at *place*, by all that it has said of itself."""
        return self._find(place) is not None

    def at(self, place: Place) -> Shard | None:
        """Return the shard with the server at *place*, which another one has named; None: it is unknown."""
        found = self._find(place)
        if found is None and place[0] and len(self._shards) < MOST_SHARDS - 1:
            found = self._new()
            found.watch([place])
        if found is not None:
            found.named_at = self._shared.clock()
        return found

    def moved(self, slot: int, place: Place) -> Shard | None:
        """Note that *slot* is served at *place*; return that shard."""
        self.doubt()
        found = self.at(place)
        if found is not None:
            self._told[slot] = found.named_at
            self._give(slot, found)
        return found

    def doubt(self) -> None:
        """Ask soon who serves which slots."""
        self._doubt.set()

    async def doubted(self) -> None:
        """Wait until somebody doubts the map."""
        await self._doubt.wait()
        self._doubt.clear()

    # -- what is learnt ------------------------------------------------------------

    def take(self, found: View) -> None:
        """Take what the cluster says of its slots."""
        groups = grouped(found)
        if not groups:
            return
        match = matched(
            groups, {number: shard.nodes for number, shard in self._shards.items() if shard.nodes}
        )
        heirs = self._heirs(found, groups, match)
        by_master = {}
        for place, group in enumerate(groups):
            number = match.get(place, heirs.get(group[0], 0))
            shard = self._shards[number] if number else self._fresh()
            shard.watch(group)
            by_master[group[0]] = shard
        since = self._shared.clock() - _FRESH
        self._told = {slot: at for slot, at in self._told.items() if at > since}
        for part in found:
            for slot in range(part.first, part.last + 1):
                if slot not in self._told:
                    self._give(slot, by_master[part.nodes[0]])
        self.known = True
        self._retire(set(by_master.values()))
        for dependent in list(self.dependents):
            dependent.relead()

    def _heirs(self, found: View, groups: list[tuple[Place, ...]], match: dict[int, int]) -> dict[Place, int]:
        """Return the shards that have come to servers which nobody knew to be theirs, by the master."""
        if len(match) == len(groups):
            return {}
        new = {group[0] for place, group in enumerate(groups) if place not in match}
        owners = [shard.number if shard is not None else 0 for shard in self._owners]
        left = set(self._shards) - set(match.values())
        return inherited(tuple(part for part in found if part.nodes[0] in new), owners, left)

    def _fresh(self) -> Shard:
        """Return a shard for servers that belong to none that is known: home, before anything was known."""
        home = self.home()
        return home if not home.nodes else self._new()

    def _give(self, slot: int, shard: Shard) -> None:
        before, self._owners[slot] = self._owners[slot], shard
        if before is not shard and before is not None:
            # it has keys now that we wrote elsewhere, and its replicas may not
            shard.shared.marks.mark(None)

    def _new(self) -> Shard:
        self._last += 1
        number = self._last
        shared = copy.copy(self._shared)
        self._shared.kin.append(shared)
        shared.marks, shared.followers = Kin(self._family), []
        shared.home = Follower("master", share=self._shared.home.share)
        health = Named(self._health, f"shard {number}")
        shard = self._shards[number] = Shard(number, shared, self._build(shared, health), health)
        return shard

    def _find(self, place: Place) -> Shard | None:
        host, port = place
        for shard in self._shards.values():
            if place in shard.nodes or (not host and any(port == known for _, known in shard.nodes)):
                return shard
        return None

    def _retire(self, serving: set[Shard]) -> None:
        """Let go of shards that serve nothing any more."""
        now = self._shared.clock()
        gone = [s for s in self._shards.values() if s not in serving and now - s.named_at > _GUEST]
        for shard in gone:
            del self._shards[shard.number]
            if shard is self._home:
                self._home = self._owners[0] or next(iter(serving))
            task = asyncio.get_running_loop().create_task(self._leave(shard))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _leave(self, shard: Shard) -> None:
        await asyncio.sleep(_GRACE)
        for dependent in list(self.dependents):
            dependent.retire(shard)
        self._shared.kin.remove(shard.shared)
        self._family.remove(shard.shared.marks)  # type: ignore[arg-type]
        await shard.topology.stop()
        shard.health.away()

    async def stop(self) -> None:
        """Ask nobody any more."""
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*(shard.topology.stop() for shard in self._shards.values()))
