"""The shared connections: one to the master for each group, and one to each replica that may be read.

A group is a class of shared connections: one RESP version, one database.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from podmates_common.parse import Address
from podmates_redis.clients.joining import PAUSE, Joining
from podmates_redis.clients.wants import Limits, World, hope
from podmates_redis.engine import choice
from podmates_redis.faults import guarded
from podmates_redis.marks import Follower
from podmates_redis.servers.bridge import Bridge
from podmates_redis.servers.upstream import Refused, Upstream
from podmates_redis.session import losing
from podmates_redis.session.state import State
from podmates_redis.wire import texts
from podmates_redis.wire.replies import Part

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Engine

PLACES = 16  # of a group; 0 is the master


class _Nobody:
    """The owner of a connection until the engine has it."""

    def arrived(self, upstream: Upstream, parts: list[Part]) -> None:
        upstream.close()

    def arrived_raw(self, upstream: Upstream, data: bytes) -> None:
        upstream.close()

    def gone(self, upstream: Upstream) -> None: ...
    def hold(self, upstream: Upstream, full: bool) -> None: ...


@dataclass(eq=False)
class Group:
    """One class of shared connections."""

    number: int
    state: State
    joining: Joining
    at: Address | None = None  # the master it is connected to
    history: str = ""  # of that master when it was
    hopeless: bool = False  # no master came in time
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)  # by place: opens one

    def refused(self) -> None:
        """Its master has just refused to run something."""
        self.joining.refused_by = self.at


class Groups:
    """Opens what is missing; the engine owns what is open."""

    def __init__(
        self, engine: Engine, world: World, limits: Limits, fail: Callable[[Exception], None]
    ) -> None:
        self.fail = fail
        self._engine, self._world, self._limits = engine, world, limits
        self._groups: dict[tuple[int, int], Group | None] = {}
        self.bridge = Bridge(apart=choice.apart(engine), note=fail)
        self.places: list[Follower | None] = [None] * PLACES
        self._over = False
        self._era = 0  # of the ways to servers

    def __iter__(self) -> Iterator[Group]:
        """Yield the groups that there are."""
        return iter([group for group in self._groups.values() if group is not None])

    def stop(self) -> None:
        """Open nothing more."""
        self._over = True
        for group in self:
            for task in group.tasks.values():
                task.cancel()
        self.bridge.stop()

    def renew(self) -> None:
        """Have every connection made anew, as the settings say now; what is on its way goes its old way."""
        self._era += 1
        for group in self:
            for place in range(PLACES):
                if self._engine.attached(group.number, place):
                    self.open(group, place)

    def seat(self, followers: list[Follower]) -> list[Follower]:
        """Give each of *followers* a place of its own, while there are any; return the new ones."""
        new = []
        for follower in followers:
            if follower not in self.places[1:] and None in self.places[1:]:
                self.places[self.places.index(None, 1)] = follower
                new.append(follower)
        return new

    def master_moved(self) -> None:
        """Another server is the master now, or the same one is another."""
        groups = [group for group in self if group.at is not None]
        at = self._world.master()
        if any(g.at != at or not self._world.follows(g.history) for g in groups):
            for group in groups:
                group.at = None
            self._engine.move_master()
        self.open_all()

    def eject(self, follower: Follower) -> None:
        """The replica is not to be read any more."""
        place = self.place(follower)
        if not place:
            return
        self.places[place] = None
        for group in self:
            task = group.tasks.pop(place, None)
            if task is not None:
                task.cancel()
        self._engine.detach(place)
        self._engine.cover(place, 0)

    def place(self, follower: Follower) -> int:
        """Return which place a follower has; 0: none."""
        return next((place for place, known in enumerate(self.places) if known is follower), 0)

    def group(self, protocol: int, database: int) -> Group | None:
        """Return the group of that version and database; None: there are too many."""
        key = protocol, database
        if key not in self._groups:
            number = self._engine.open_group(database)
            state = State(database=database, protocol=protocol)
            self._groups[key] = self._made(number, state) if number >= 0 else None
            self.open_all()
        return self._groups[key]

    def _made(self, number: int, state: State) -> Group:
        joining = Joining(self._world, _Nobody(), state=lambda: state, wanted=lambda: True)
        return Group(number, state, joining)

    def seated(self) -> list[tuple[int, Follower]]:
        """Return every replica that has a place, and which."""
        return [(place, follower) for place, follower in enumerate(self.places) if follower is not None]

    def numbered(self, number: int) -> Group:
        """Return the group that the engine calls *number*."""
        return next(group for group in self if group.number == number)

    def open_all(self) -> None:
        """Open what is missing."""
        for group in self:
            for place, follower in enumerate(self.places):
                wanted = place == 0 or (follower is not None and follower.usable)
                if wanted and not self._engine.attached(group.number, place):
                    self.open(group, place)

    def open(self, group: Group, place: int) -> None:
        """Open a connection, in place of the one that may be there."""
        if self._over or place in group.tasks:
            return
        job = self._open_replica(group, place) if place else self._open_master(group)
        task = group.tasks[place] = asyncio.get_running_loop().create_task(job)

        def over(task: asyncio.Task[None]) -> None:
            if group.tasks.get(place) is task:
                del group.tasks[place]
            error = None if task.cancelled() else task.exception()
            if isinstance(error, Exception):
                self.fail(error)
                asyncio.get_running_loop().call_later(PAUSE, self._again)

        task.add_done_callback(over)

    @guarded
    def _again(self) -> None:
        self.open_all()

    async def _open_master(self, group: Group) -> None:
        giving_up = asyncio.get_running_loop().create_task(self._give_up(group))
        try:
            while True:
                era, joined = self._era, await group.joining.master()
                if joined is None:
                    return
                history = joined.upstream.history
                try:
                    self._attach(group, 0, joined.upstream, era)
                except (OSError, Refused) as error:
                    self._world.suspect()
                    await asyncio.sleep(0 if isinstance(error, Refused) else PAUSE)
                    continue
                group.at, group.history, group.hopeless = joined.at, history, False
                return
        finally:
            giving_up.cancel()

    def _attach(self, group: Group, place: int, upstream: Upstream, era: int) -> None:
        """Give a connection, which was begun in *era*, to the engine.

        Raises:
            MemoryError, OSError, Refused: it has not got it.
        """
        if era != self._era:
            upstream.close()
            raise Refused("was made in the old way")
        descriptor = upstream.take(self.bridge)
        try:
            self._engine.attach(group.number, place, descriptor)
        except MemoryError:
            os.close(descriptor)
            raise

    async def _give_up(self, group: Group) -> None:
        """Let nobody wait longer than the settings say."""
        while True:
            await asyncio.sleep(hope(self._world, self._limits))
            group.hopeless = not self._engine.attached(group.number, 0)  # it is there, to be made anew
            words = group.joining.refusal or losing.nobody(not self._world.known(), self._world.serving())
            to_read = texts.MASTER_DOWN if words is texts.READ_ONLY else words
            self._engine.give_up(group.number, to_read, words)

    async def _open_replica(self, group: Group, place: int) -> None:
        follower = self.places[place]
        while follower is not None and follower.usable and self.places[place] is follower:
            era = self._era
            try:
                upstream = await self._world.open_replica(_Nobody(), group.state, follower)
                if self.places[place] is not follower or not follower.usable:
                    upstream.close()
                    return
                self._attach(group, place, upstream, era)
            except (OSError, TimeoutError, Refused):
                self._world.suspect()
                await asyncio.sleep(PAUSE)
                continue
            return
