"""The engine in its surroundings: which clients it has, what it says, and what it has to know.

A client is with the engine, which accepts it, or here, never both. When it needs what the engine has not got
it comes by the door, with what was read of it and not used; by `lend` it goes, and is a session no more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from podmates_redis import descriptors, faults
from podmates_redis.clients import wheres
from podmates_redis.clients.doors import Arrival, Inlet, Rest
from podmates_redis.clients.groups import Group, Groups
from podmates_redis.clients.harvest import Harvest
from podmates_redis.clients.lodgers import Lodgers
from podmates_redis.clients.wants import Limits, World
from podmates_redis.engine import choice, events, rules
from podmates_redis.engine.marks import SharedMarks
from podmates_redis.marks import Follower
from podmates_redis.session.resting import NOTHING, Guest
from podmates_redis.session.shared import Shared
from podmates_redis.session.state import State

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Engine, Left
    from podmates_redis.settings import Settings

log = logging.getLogger(__name__)

_NEWCOMERS = 2, 0  # RESP version and database of a client that has said nothing yet


class Commons:
    """Keeps the groups of *engine*; the marks of *shared* are the engine's from here on."""

    def __init__(self, engine: Engine, world: World, shared: Shared, limits: Limits) -> None:
        self._engine, self._world, self._shared = engine, world, shared
        choice.heed_faults(engine, shared.tally)
        self._groups = Groups(engine, world, limits, self.fail)
        self.counts = Harvest(engine, shared, self._groups)
        self.lodgers = shared.roster.elsewhere = Lodgers(engine, shared, self._heed)
        self.door: Inlet | None = None
        self.accepted = self.rejected = 0
        self._known: object = None  # the table, and how many reads are none
        self._permitted: object = None
        self._lending = True
        self._memory = 0  # of the engine and of what carries for it, as it stands in the ledger
        self._weights: dict[int, tuple[int, float]] = {}  # by place
        self._stop: Callable[[], None] = lambda: None  # the engine
        self._marks = SharedMarks(engine, self._groups.place)
        shared.marks = self._marks
        shared.news, shared.look = self.news, self._look

    # -- from start to stop -------------------------------------------------------------------

    def start(self) -> None:
        self._stop = choice.start(self._engine)
        asyncio.get_running_loop().add_reader(self._engine.signal, self._heed)
        self.news()
        self.admit()

    def listen(self, listener: socket.socket, path: str) -> None:
        """Accept clients there; *path*: of its file, if it has one.

        Raises:
            OSError: there are too many listeners.
        """
        self.lodgers.paths.append(path)
        self._engine.listen(os.dup(listener.fileno()))

    @property
    def accepts(self) -> bool:
        """Tell whether the engine accepts clients itself; its twin has asyncio do it."""
        return hasattr(self._engine, "listen")

    def close(self) -> None:
        """Accept nobody any more."""
        if self.accepts:
            self._engine.close_listeners()

    def admit(self) -> None:
        """Let as many clients in as the door does; they come here at once if they could not stay."""
        if self.door is None or not self.accepts:
            return
        group = self._groups.group(*_NEWCOMERS)
        self._engine.admit(
            clients=self.door.most,
            spare=descriptors.KEPT,
            keeps=self._lending and group is not None and not self._shared.pause.on,
            group=0 if group is None else group.number,
        )

    def stop(self) -> None:
        self._groups.stop()
        asyncio.get_running_loop().remove_reader(self._engine.signal)
        self._stop()

    def news(self) -> None:
        """The table or the replicas are others now."""
        self._learn()
        for new in self._groups.seat(self._shared.followers):
            self._marks.tell(new)
        for place, follower in enumerate(self._groups.places):
            if follower is not None:
                self._engine.use_place(place, follower.usable)
        self.permit()
        self._groups.open_all()

    def _learn(self) -> None:
        shared = self._shared
        if self._known != (known := (id(shared.table), len(shared.misjudged))):
            self._known = known
            rewrite = shared.policy.rewrite_ro
            self._engine.learn(rules.rows(shared.table, misjudged=shared.misjudged, rewrite_ro=rewrite))

    def permit(self) -> None:
        """Let the engine know what reads may do, and where; and know who reads there."""
        shared = self._shared
        self._learn()
        own = self._engine.memory
        memory = own + self._groups.bridge.held
        shared.ledger.held += memory - self._memory
        self._memory = memory
        self._engine.weigh_elsewhere(shared.ledger.held - own)
        for place, follower in self._groups.seated():
            follower.sharing = self._engine.clients_at(place)
            weight = follower.clients, follower.share
            if self._weights.get(place) != weight:
                self._weights[place] = weight
                self._engine.weigh(place, *weight)
        policy = shared.policy
        reads = (
            policy.choice.read_from != "master"
            and policy.consistency != "strict"
            and not shared.crowd.monitors
        )
        proof = policy.consistency in ("session", "own-writes")
        lagging = shared.why_nobody == "lag"
        wanted = (reads, proof, policy.consistency == "session", lagging)
        if wanted != self._permitted:
            self._permitted = wanted
            self._engine.permit(*wanted)

    # -- clients ------------------------------------------------------------------------------

    def ready(self, state: State) -> Group | None:
        """Return the group for clients in *state*, if it has a master; else see to it that it gets one."""
        group = self._groups.group(state.protocol, state.database)
        if not self._lending or group is None or group.hopeless or not self._engine.attached(group.number, 0):
            return None
        return group

    def lend(self, departure: Arrival, group: Group) -> None:
        """Give a client to the engine.

        Raises:
            MemoryError: it has not got it.
        """
        descriptor, guest, kept, where, _, follower = departure
        place = 0 if follower is None else self._groups.place(follower)
        self._engine.adopt(
            descriptor,
            b"",
            group.number,
            guest.number,
            place=place,
            born=guest.born,
            heard=guest.heard,
            did=guest.did,
            where=where,
            known=kept is not NOTHING,
        )
        self.lodgers.keep(guest.number, kept)

    def change(self, settings: Settings) -> None:
        """Do as *settings* say from now on; all clients come back if the engine cannot."""
        self._engine.behave(**choice.manner(settings))
        self._lending = choice.fits(settings)
        self.news()
        self.admit()
        if not self._lending:
            self._engine.fetch()

    def renew(self) -> None:
        """Servers are reached in another way from now on."""
        self._groups.renew()

    def fetch(self) -> None:
        """Have every client come back when nothing of it is on its way."""
        self._engine.fetch()

    def gone(self) -> None:
        """A client that was here is gone."""
        self._engine.closed_elsewhere()

    def buffers(self) -> tuple[int, int, int]:
        """Return the bytes of requests, of replies before their turn and of other replies that are kept."""
        return self._engine.buffers()

    def drain(self) -> None:
        """Close every client as soon as nothing of it is on its way."""
        self._engine.drain()

    def cut(self) -> None:
        """Close every client now."""
        self._engine.close_clients(None, events.DRAINED)

    def _look(self) -> None:
        """Bring what clients have done, and how much of it, up to date."""
        self.counts.gather()
        self.counts.slow(self.lodgers)
        self.permit()
        _, self.accepted, self.rejected, *_ = self._engine.counts()
        for why, count in zip(events.ENDS, self._engine.ends(), strict=True):
            if count:
                self._shared.tally.closed[why] += count

    # -- what the engine says -----------------------------------------------------------------

    def _heed(self) -> None:
        clients, happened = self._engine.take()
        if clients or any(event[0] in (events.LEFT, events.SLOW) for event in happened):
            self.counts.slow(self.lodgers)  # while it is known who they are
        for client in clients:
            self._do(self._arrives, client)
        for event in happened:
            self._do(self._event, *event)
        self._do(self._groups.open_all)

    def _do(self, act: Callable[..., None], *about: Any) -> None:
        """What goes wrong with one of them is not to keep the others waiting."""
        try:
            act(*about)
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        faults.note(self._shared.tally, "the shared path goes on", error)

    def _arrives(self, client: Left) -> None:
        descriptor, unread, unsent, place, number, command, idle, did, born, where = client
        whence = wheres.unpacked(where, descriptor, self.lodgers.paths)
        guest = Guest(number, whence, born, self._shared.clock() - idle, command, did)
        kept, follower = self.lodgers.kept(number), self._groups.places[place]
        if self.door is None:
            os.close(descriptor)
        else:
            try:
                self.door.arrives(Arrival(descriptor, guest, kept, where, Rest(unread, unsent), follower))
            except Exception:
                os.close(descriptor)  # it has not been taken
                self._engine.closed_elsewhere()
                raise
        self.lodgers.left(number)

    def _event(self, what: int, number: int, place: int, more: int) -> None:
        if what == events.LEFT:
            self.lodgers.left(more)
        elif what == events.TURNED_AWAY:
            self._world.hurry()
        elif what in (events.REFUSED, events.LATE_REPLY):
            self._world.suspect()
            if what == events.REFUSED and not place:
                self._groups.numbered(number).refused()
        elif what == events.UPSTREAM_LOST and more:
            self._lost(place)
        elif what == events.STUCK:
            self._groups.open(self._groups.numbered(number), place)

    def _lost(self, place: int) -> None:
        follower = self._groups.places[place]
        if place == 0:
            self._world.doubt()
        elif follower is not None and follower.usable:
            self._world.lost(follower)

    # -- what the topology says -----------------------------------------------------------------

    def master_moved(self) -> None:
        """Another server is the master now, or the same one is another."""
        self.counts.gather()  # by the names of the servers that they belong to
        self._groups.master_moved()

    def eject(self, follower: Follower) -> None:
        """The replica is not to be read any more."""
        self.counts.gather()
        self._groups.eject(follower)
