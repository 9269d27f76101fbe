"""Clients, a master and a replica that lags: a model to hold the engine against.

Every client writes keys of its own, so the newest value it has written is the only right answer to a read,
unless a lost connection left in doubt whether a write ran.
"""

from __future__ import annotations

import random

from tests.support.shared_path import play
from tests.unit.redis.engine.customer import Customer
from tests.unit.redis.engine.servers import Link, Server


class World:
    """All of it; `turn` lets one random thing happen."""

    def __init__(self, seed: int, customers: int = 4) -> None:
        self.chosen = random.Random(seed)
        self.play = play()
        self.group = self.play.open_group(0)
        self.history: list[tuple[bytes, bytes]] = []
        self.servers = [Server(self.history, master=True), Server(self.history)]
        self.links: dict[int, Link] = {}
        self.number = 100
        self.customers: dict[int, Customer] = {}
        self.last = 0
        self.heard = self.closed = self.failovers = 0
        self.replica_behind = False
        self._connect_servers()
        for _ in range(customers):
            self._newcomer()

    @property
    def master(self) -> Server:
        return next(server for server in self.servers if server.master)

    @property
    def replica(self) -> Server:
        return next(server for server in self.servers if not server.master)

    def _newcomer(self) -> None:
        self.last += 1
        self.customers[self.last] = Customer(self.last, self.chosen)
        self.play.connect(self.last, self.group)

    def _attach(self, place: int, server: Server) -> None:
        self.number += 1
        self.links[self.number] = Link(server, self.number, place)
        self.play.attach(self.group, place, self.number)

    def _connect_servers(self) -> None:
        if not self.play.attached(self.group, 0):
            self._attach(0, self.master)
        if not self.play.attached(self.group, 1):
            self._attach(1, self.replica)
            self.play.use_place(1, True)

    def turn(self) -> None:
        kind = self.chosen.random()
        if kind < 0.30:
            self._speak(self.chosen.choice(list(self.customers.values())))
        elif kind < 0.85:
            self._serve()
        elif kind < 0.90:
            self.replica.replicate(self.replica.applied + self.chosen.randrange(8))
        elif kind < 0.96:
            token = self.play.begin()
            if self.replica.applied >= len(self.history):
                self.play.cover(1, token)
        elif kind < 0.972:
            self._mishap()
        else:
            self._connect_servers()
        self._listen()

    def _speak(self, customer: Customer) -> None:
        state = self.play.state(customer.number)
        if state == "open" and not self.play.unread(customer.number):
            self.play.say(customer.number, customer.speak(), last=True)
        elif state == "away":
            self._connect_servers()
            self.play.back(customer.number, self.play.unread(customer.number))

    def _serve(self) -> None:
        alive = [link for number, link in self.links.items() if self.play.stands(number)]
        if not alive:
            return
        link = self.chosen.choice(alive)
        link.feed(self.play.sent(link.number, self.chosen.choice((None, None, 7, 100))))
        for _ in range(self.chosen.randrange(6)):
            if link.requests:
                link.step()
        size = self.chosen.choice((len(link.replies), self.chosen.randrange(len(link.replies) + 1)))
        data, link.replies = link.replies[:size], link.replies[size:]
        if data:
            self.play.answer(link.number, data)

    def _mishap(self) -> None:
        kind = self.chosen.random()
        if kind < 0.45:
            alive = [number for number in self.links if self.play.stands(number)]
            if alive:
                number = self.chosen.choice(alive)
                if self.links[number].server.master:
                    self.play.forget()
                self.play.lose(number)
        elif kind < 0.75:
            self._fail_over()
        elif kind < 0.9:
            number = self.chosen.choice(list(self.customers))
            self.play.vanish(number)
            del self.customers[number]
            self._newcomer()
        else:
            self.play.pass_time(self.chosen.choice((0.5, 1.2, 3.0)))
            self.play.take()

    def _fail_over(self) -> None:
        """A planned one: the replica has everything before it becomes the master."""
        self.failovers += 1
        old, new = self.master, self.replica
        new.replicate(len(self.history))
        old.master, new.master = False, True
        for link in self.links.values():
            link.demoted = link.demoted or link.server is old
        if self.chosen.random() < 0.5:  # else it is only seen by what the old one refuses
            self.settle_failover()

    def _demoted(self) -> bool:
        """Tell whether the engine holds a server for the master that is none."""
        newest = [link for number, link in self.links.items() if link.place == 0 and self.play.stands(number)]
        return bool(newest) and newest[-1].demoted

    def settle_failover(self) -> None:
        self.play.forget()
        self.play.detach(1)
        self.play.move_master()
        self._connect_servers()

    def _listen(self) -> None:
        if any(event[0] == 3 for event in self.play.take()[1]) and self._demoted():
            self.settle_failover()
        for number in list(self.customers):
            customer = self.customers[number]
            state = self.play.state(number)
            self.heard -= customer.heard
            customer.hear(self.play.told(number))
            self.heard += customer.heard
            if state == "closed":
                self.closed += 1
                del self.customers[number]
                self._newcomer()

    def finish(self) -> None:
        """Let everything come to an end; each client has had every reply."""
        for _ in range(20_000):
            self._connect_servers()
            self.replica.replicate(len(self.history))
            for number, link in list(self.links.items()):
                if self.play.stands(number):
                    link.feed(self.play.sent(number))
                    while link.requests:
                        link.step()
                    data, link.replies = link.replies, b""
                    self.play.answer(number, data) if data else None
            self._listen()
            for customer in list(self.customers.values()):
                if self.play.state(customer.number) == "away":
                    self.play.back(customer.number, self.play.unread(customer.number))
            if not any(customer.expected for customer in self.customers.values()):
                return
        raise AssertionError(
            [(c.number, self.play.state(c.number), c.expected) for c in self.customers.values()]
        )
