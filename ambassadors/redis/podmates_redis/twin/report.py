"""What the shared path tells of itself; like engine/_engine.pyi."""

from __future__ import annotations

import time

from podmates_redis.twin.clients import unsent
from podmates_redis.twin.figures import slow
from podmates_redis.twin.shapes import Client, Core, Event, Histogram, Slow

Counted = tuple[list[int], float]  # by bucket; seconds in all
Shown = tuple[int, bytes | None, float, int, int, float, bytes, int]
Leaver = tuple[int, bytes, bytes, int, int, bytes | None, float, int, float, bytes]


class Report:
    """What was counted in `core` since the last time, and who is there."""

    core: Core

    @property
    def memory(self) -> int:
        """Bytes that clients and servers take here, about."""
        return self.core.memory()

    def connections(self, place: int) -> tuple[int, int, int]:
        """Return how many connections there are to that place's server, how many of them owe a reply, and how
        many replies."""
        standing = [u for u in self.core.upstreams if u.place == place and u.fd != -1]
        owed = [sum(slot.count for slot in u.slots) for u in standing]
        return len(standing), sum(map(bool, owed)), sum(owed)

    def buffers(self) -> tuple[int, int, int]:
        """Return how many bytes of requests, of replies that wait for their turn, and of others are kept."""
        clients = self.core.clients.values()
        return (
            sum(len(c.input) for c in clients),
            sum(c.parked_bytes for c in clients),
            sum(c.unsent for c in clients),
        )

    def clients(self, id: int | None = None) -> list[Shown]:
        """Return what is known of the client *id*, or of everybody.

        (id, name of its last command, seconds since it was heard, did as in `take`, descriptor, seconds on
        the clock when it came, where it is connected, bytes that it has sent and are not used)
        """
        now = time.monotonic()
        return [(c.id, *_last(c, now), c.did, c.fd, c.born, c.where, len(c.input)) for c in self.some(id)]

    def some(self, id: int | None) -> list[Client]:
        """Return the client *id* if it is here, or everybody."""
        clients = self.core.clients
        return list(clients.values()) if id is None else [clients[id]] if id in clients else []

    def counts(self) -> tuple[int, int, int]:
        """Return (clients here, accepted, rejected): others accept them."""
        return len(self.core.clients), 0, 0

    def ends(self) -> list[int]:
        """Return and forget how many clients are gone: by themselves, with a server, since they took too
        little, drained, killed."""
        found, self.core.gone = self.core.gone, [0] * len(self.core.gone)
        return found

    def weigh_elsewhere(self, size: int) -> None:
        """Take no note of how many bytes others keep for clients: it is they who turn clients away."""

    def take(self) -> tuple[list[Leaver], list[Event]]:
        """Return what concerns others since the last time: (clients, events).

        A client: (descriptor, bytes read and not used, replies that it has not taken, place that it reads,
        id, name of its last command or None, seconds since it was heard, 1: it has written, 2: with MULTI,
        seconds on the clock when it came, where it is connected). An event: (what, group, place, id).
        """
        core, now = self.core, time.monotonic()
        events, core.events = core.events, []
        leavers, core.leavers = core.leavers, []
        found = []
        for c in leavers:
            last = _last(c, now)
            found.append((c.fd, c.input, unsent(c), c.place, c.id, *last, c.did, c.born, c.where))
        return found, events

    def harvest(
        self,
    ) -> tuple[list[tuple[str, int, bool, int]], list[int], list[int], tuple[int, int, int, int]]:
        """Return and forget what was counted: commands as (name, route, error, count), reads at the master by
        reason, reads by place, and (retries, holds, resent, lost)."""
        core = self.core
        commands = []
        for command in core.commands.values():
            for route, counts in enumerate(command.tally):
                commands += [(command.name, route, bool(error), n) for error, n in enumerate(counts) if n]
                counts[:] = [0, 0]
        reads, core.reads = core.reads, [0] * len(core.reads)
        places = [place.reads for place in core.places]
        for place in core.places:
            place.reads = 0
        others = core.retries, core.holds, core.resent, core.lost
        core.retries = core.holds = core.resent = core.lost = 0
        return commands, reads, places, others

    def slow(self) -> list[Slow]:
        """Return and forget the requests that took long, the oldest first: (client, name, bytes or None for a
        block, place, seconds: when it was answered, took, queued, served, bytes of the reply,
        where its client is)."""
        return slow(self.core)

    def figures(
        self,
    ) -> tuple[
        list[tuple[str, int, Counted]],
        list[Counted],
        list[Counted],
        list[tuple[bytes, int]],
        list[tuple[int, int]],
    ]:
        """Return and forget what else was counted.

        How long commands took, as (name, route, histogram); how long they waited to be sent, by route; how
        long servers took, by place; errors by first word; (sent, received) in bytes, by place.
        """
        core, took = self.core, []
        for command in core.commands.values():
            for route, histogram in enumerate(command.took):
                if histogram is not None:
                    took.append((command.name, route, _counted(histogram)))
            command.took[:] = [None, None, None]
        queued, core.queued = core.queued, [Histogram() for _ in core.queued]
        words, core.words = core.words, {}
        served, traffic = [], []
        for place in core.places:
            served.append(_counted(place.served))
            traffic.append((place.sent, place.received))
            place.served, place.sent, place.received = Histogram(), 0, 0
        return took, [_counted(one) for one in queued], served, list(words.items()), traffic


def _counted(histogram: Histogram) -> Counted:
    return histogram.counts, histogram.total


def _last(c: Client, now: float) -> tuple[bytes | None, float]:
    """Return (name of its last command, seconds since it was heard); None: nothing yet."""
    return c.command.name.encode() if c.command is not None else None, now - c.heard
