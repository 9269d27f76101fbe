"""A cluster as the rest of the ambassador meets it, where others have one master and its replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from podmates_common.health import Health
from podmates_common.parse import Address
from podmates_redis.cluster.learning import Learner
from podmates_redis.cluster.shards import Build, Dependent, Shards
from podmates_redis.marks import Follower
from podmates_redis.servers.absence import Absence
from podmates_redis.servers.asking import Asker
from podmates_redis.servers.figures import Figures
from podmates_redis.session.shared import Shared
from podmates_redis.session.tally import Times

T = TypeVar("T")


class Cluster:
    """All that is known of the servers."""

    def __init__(
        self,
        seeds: Sequence[Address],
        shared: Shared,
        health: Health,
        *,
        build: Build,
        ask: Callable[[Address], Asker],
    ) -> None:
        self.shards = Shards(shared, health, build)
        self._learner = Learner(seeds, self.shards, ask, health)
        self._following: asyncio.Task[None] | None = None
        self.figures, self.report = AllFigures(self.shards), AllReports(self.shards)

    @property
    def dependents(self) -> set[Dependent]:
        return self.shards.dependents

    @property
    def master_wait(self) -> float:
        """Seconds that a command waits for a master."""
        return self.shards.home().topology.master_wait

    @master_wait.setter
    def master_wait(self, seconds: float) -> None:
        for shard in self.shards.every():
            shard.topology.master_wait = seconds

    def start(self) -> asyncio.Task[None]:
        """Begin to learn; return the task that does it."""
        return asyncio.get_running_loop().create_task(self._learner.follow())

    async def stop(self) -> None:
        """Ask nobody any more."""
        self._learner.stop()
        await self.shards.stop()

    def hurry(self) -> None:
        """Probe soon where reads are being turned away."""
        for shard in self.shards.every():
            if shard.shared.turned_away:
                shard.topology.hurry()

    def suspect(self) -> None:
        """Ask every server at once, and who serves which slots: one behaved unlike what it was taken for."""
        self.shards.doubt()
        for shard in self.shards.every():
            shard.topology.suspect()

    def known(self) -> bool:
        """Tell whether it was learnt who serves which slots, and every shard has had a master."""
        return self.shards.known and all(shard.topology.known() for shard in self.shards.every())

    def followers(self) -> list[Follower]:
        """Return the replicas that are read."""
        return [follower for shard in self.shards.every() for follower in shard.shared.followers]


class AllFigures:
    """Figures of the servers of all shards."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is known of every server, for people; *now* in seconds."""
        found = []
        for shard in self._shards.every():
            seen = shard.topology.figures.seen(now)
            found.append({"shard": shard.number, "slots": self._shards.slots(shard), **seen})
        return {"shards": found}

    def roles(self) -> list[tuple[tuple[str, str, str], int]]:
        return self._joined(Figures.roles)

    def lags(self) -> list[tuple[tuple[str], int]]:
        return self._joined(Figures.lags)

    def offsets(self) -> list[tuple[tuple[str], int]]:
        return self._joined(Figures.offsets)

    def late(self) -> list[tuple[tuple[str], float]]:
        return self._joined(Figures.late)

    def ejected(self) -> list[tuple[tuple[str, str], int]]:
        return self._joined(Figures.ejected)

    def changes(self) -> list[tuple[tuple[str], int]]:
        return self._joined(Figures.changes)

    def _joined(self, figure: Callable[[Figures], list[T]]) -> list[T]:
        return [one for shard in self._shards.every() for one in figure(shard.topology.figures)]


class AllReports:
    """How long shards were without a master, together."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self.absence = self

    @property
    def gaps(self) -> Times:
        found = Times()
        for one in self._absences():
            found.merge(one.gaps.counts, one.gaps.total)
        return found

    def total(self, now: float) -> float:
        """Return the seconds without a master until *now*, of all shards."""
        return float(sum(one.total(now) for one in self._absences()))

    def _absences(self) -> Iterable[Absence]:
        return [shard.topology.report.absence for shard in self._shards.every()]
