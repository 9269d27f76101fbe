"""What the engine has counted, added to what Python counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from podmates_redis.clients import wheres
from podmates_redis.clients.groups import Groups
from podmates_redis.clients.lodgers import Lodgers
from podmates_redis.engine import rules
from podmates_redis.servers.traffic import Traffic
from podmates_redis.session.shared import Shared
from podmates_redis.session.slowlog import Slow, shown
from podmates_redis.session.tally import Times
from podmates_redis.wire.requests import Requests

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Engine

_ROUTES = ("master", "replica", "local")


class Harvest:
    """Brings the tally of *shared* and the traffic with servers up to date."""

    def __init__(self, engine: Engine, shared: Shared, groups: Groups) -> None:
        self._engine, self._shared, self._groups = engine, shared, groups
        self.traffic: Callable[[str], Traffic] = lambda name: Traffic()  # with a server, by its name

    def gather(self) -> None:
        """Add what was counted since the last time."""
        self._counts()
        self._figures()

    def _name(self, place: int) -> str:
        """Return the server that has *place*; nothing when it has left."""
        follower = self._groups.places[place]
        return self._shared.master_name if place == 0 else follower.name if follower is not None else ""

    def _counts(self) -> None:
        tally = self._shared.tally
        commands, reads, places, (retries, _, _, _) = self._engine.harvest()
        for command, route, error, count in commands:
            tally.commands[(command, _ROUTES[route], "error" if error else "ok")] += count
        for why, count in zip(rules.REASONS, reads, strict=True):
            if count:
                tally.reads[("master", why, self._shared.master_name)] += count
        for place, count in enumerate(places):
            if count and (name := self._name(place)):
                tally.reads[("replica", "", name)] += count
        if retries:
            tally.retries["shared"] += retries

    def _figures(self) -> None:
        tally = self._shared.tally
        took, queued, served, errors, traffic = self._engine.figures()
        for command, route, (counts, total) in took:
            tally.durations.setdefault((command, _ROUTES[route]), Times()).merge(counts, total)
        for name, (counts, total) in zip(_ROUTES, queued, strict=True):
            if any(counts):
                tally.queued.setdefault(name, Times()).merge(counts, total)
        for place, (counts, total) in enumerate(served):
            if any(counts) and (name := self._name(place)):
                tally.served.setdefault(name, Times()).merge(counts, total)
        for word, count in errors:
            tally.error(word, count)
        for place, (sent, received) in enumerate(traffic):
            if (sent or received) and (name := self._name(place)):
                known = self.traffic(name)
                known.sent += sent
                known.received += received

    def slow(self, lodgers: Lodgers) -> None:
        """Keep the requests that took long."""
        for number, command, request, place, at, took, queued, served, size, where in self._engine.slow():
            if not self._shared.slowlog.takes(self._shared.clock()):
                continue
            kept = lodgers.kept(number)
            whence = kept.place or wheres.unpacked(where, -1, lodgers.paths)
            words = Requests().feed(request)[0].args if request is not None else [command.encode()]
            self._shared.slowlog.add(
                Slow(
                    id=0,
                    at=at,
                    took=took,
                    queued=queued,
                    served=served,
                    words=shown(words, True),
                    client=number,
                    addr=whence.addr,
                    name=kept.state.name,
                    route="replica" if place else "master",
                    node=self._name(place),
                    size=size,
                )
            )

    def connections(self) -> Counter[tuple[str, str]]:
        """Return how many shared connections stand, how many owe a reply and how many, by server."""
        found = Counter[tuple[str, str]]()
        for place in (0, *(place for place, _ in self._groups.seated())):
            standing, busy, owed = self._engine.connections(place)
            name = self._name(place)
            for what, number in (("standing", standing), ("busy", busy), ("owed", owed)):
                found[name, what] += number
        return found
