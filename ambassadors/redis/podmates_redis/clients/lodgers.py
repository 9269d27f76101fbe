"""The clients that the engine has, as members of the roster; a session is made only for who comes here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from podmates_redis.clients import wheres
from podmates_redis.engine.events import KILLED
from podmates_redis.roster.roster import Member, Waiting
from podmates_redis.session.describing import facts_of
from podmates_redis.session.resting import NOTHING, Guest, Keepsake, restore
from podmates_redis.session.session import Session
from podmates_redis.session.shared import Shared

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Engine


class Lodgers:
    """The clients of *engine*; *heed* takes up what it has to say."""

    def __init__(self, engine: Engine, shared: Shared, heed: Callable[[], None]) -> None:
        self._engine, self._shared, self._heed = engine, shared, heed
        self.paths: list[str] = []  # of the listeners of the engine, by their numbers
        self._kept: dict[int, Keepsake] = {}  # by client, where it is not as of any other
        self._awaited: dict[int, list[Callable[[], None]]] = {}  # to be told that one is here, or gone
        self._model = Session(shared)

    def __len__(self) -> int:
        return self._engine.counts()[0]

    def keep(self, number: int, kept: Keepsake) -> None:
        """The engine has got a client."""
        if kept is not NOTHING:
            self._kept[number] = kept

    def kept(self, number: int) -> Keepsake:
        """Return what was kept of a client."""
        return self._kept.get(number, NOTHING)

    def left(self, number: int) -> None:
        """The engine has a client no more."""
        self._kept.pop(number, None)
        for then in self._awaited.pop(number, ()):
            then()

    # -- for the roster ----------------------------------------------------------------------

    def members(self) -> Iterable[Member]:
        """Return every one of them; who has just left for Python is there by now, and may be here still."""
        found = [Lodger(self, guest) for guest in self._guests()]
        self._heed()
        return found

    def find(self, number: int) -> Member | None:
        """Return the one with that number; None: it is not here, but with Python or gone."""
        for guest in self._guests(number):
            return Lodger(self, guest)
        self._heed()
        return None

    def _guests(self, number: int | None = None) -> list[Guest]:
        now = self._shared.clock()
        return [
            Guest(
                client,
                wheres.unpacked(where, descriptor, self.paths),
                born=born,
                heard=now - idle,
                command=command,
                did=did,
                unread=unread,
            )
            for client, command, idle, did, descriptor, born, where, unread in self._engine.clients(number)
        ]

    # -- for one of them ---------------------------------------------------------------------

    def facts(self, guest: Guest, now: float) -> Mapping[bytes, bytes]:
        restore(self._model, guest, self.kept(guest.number))
        return facts_of(self._model, now)

    def here(self, number: int) -> Member | None:
        """Return the client if it has come to Python meanwhile."""
        self._heed()
        found = self._shared.roster.find(number)
        return None if isinstance(found, Lodger) else found

    def reach(self, number: int, then: Callable[[], None]) -> None:
        """Have the client come to Python and be connected, and call *then*."""

        def come() -> None:
            member = self.here(number)
            if member is None:
                then()
            else:
                member.reach(then)

        if self.here(number) is not None or not self._guests(number):
            come()
            return
        self._awaited.setdefault(number, []).append(come)
        self._engine.fetch(number)

    def cut(self, number: int) -> None:
        """Close the client at once."""
        if not self._engine.close_clients(number, KILLED) and (member := self.here(number)) is not None:
            member.cut()


class Lodger:
    """One of them, as it was a moment ago."""

    def __init__(self, lodgers: Lodgers, guest: Guest) -> None:
        self._lodgers, self._guest = lodgers, guest
        self.id = guest.number

    def facts(self, now: float) -> Mapping[bytes, bytes]:
        return self._lodgers.facts(self._guest, now)

    def waiting(self) -> Waiting | None:
        member = self._lodgers.here(self.id)
        return None if member is None else member.waiting()

    def held(self) -> bool:
        return False  # who is to wait comes to Python

    def upstream(self) -> int:
        member = self._lodgers.here(self.id)
        return 0 if member is None else member.upstream()

    def reach(self, then: Callable[[], None]) -> None:
        self._lodgers.reach(self.id, then)

    def pin(self) -> None:
        if (member := self._lodgers.here(self.id)) is not None:
            member.pin()

    def cut(self) -> None:
        self._lodgers.cut(self.id)
