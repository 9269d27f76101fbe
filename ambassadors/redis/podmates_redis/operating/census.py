"""Looks at every client, for those who ask how many are what: in slices, since there may be ten thousand."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from podmates_redis.clients.client import Client
from podmates_redis.clients.commons import Commons
from podmates_redis.session.slots import Lane

_SLICE = 250  # clients between two turns of the event loop

STATES = ("connected", "blocked", "subscribed", "transaction", "monitor", "tracking", "dedicated")


@dataclass(slots=True)
class Census:
    """What was seen."""

    clients: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(STATES, 0)))
    buffers: Counter[str] = field(default_factory=lambda: Counter(requests=0, replies=0, output=0))  # bytes
    busy: Counter[str] = field(default_factory=Counter)  # connections that owe a reply, by node
    waiting: Counter[str] = field(default_factory=Counter)  # requests without a reply, by node
    standing: Counter[str] = field(default_factory=Counter)  # shared connections, by node

    def see(self, client: Client) -> None:
        """Count *client*."""
        session = client.session
        self.clients["connected"] += 1
        self.clients["blocked"] += session.blocked is not None
        self.clients["subscribed"] += session.subscriptions.active()
        self.clients["transaction"] += session.transaction is not None or session.watching
        self.clients["monitor"] += session.monitoring
        self.clients["tracking"] += session.redirect >= 0
        self.buffers["requests"] += session.held_bytes + session.unread
        self.buffers["replies"] += session.parked
        self.buffers["output"] += client.unsent()
        own = False
        for _ in session.everywhere():
            own = own or session.master.up or session.replica.up
            self._owed(session.master, session.shared.master_name)
            if session.follower is not None:
                self._owed(session.replica, session.follower.name)
        self.clients["dedicated"] += own

    def share(self, commons: Commons) -> None:
        """Add those who share connections, and what they have on their way."""
        self.clients["connected"] += len(commons.lodgers)
        for (node, what), number in commons.counts.connections().items():
            {"standing": self.standing, "busy": self.busy, "owed": self.waiting}[what][node] += number
        requests, early, output = commons.buffers()
        self.buffers.update(requests=requests, replies=early, output=output)

    def _owed(self, lane: Lane, node: str) -> None:
        if lane.queue and lane.up:
            self.busy[node] += 1
            self.waiting[node] += len(lane.queue)


async def count(clients: Collection[Client]) -> Census:
    """Return what *clients* are; others run meanwhile, so one who comes or goes may be missed."""
    found = Census()
    for number, client in enumerate(list(clients)):
        found.see(client)
        if number % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
    return found
