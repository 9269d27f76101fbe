"""What befalls a field, drawn from a seed: bad links, servers that stall or die, failovers of every kind."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.support.forwarder import Forwarder
from tests.support.redis_servers import HOST, Server
from tests.support.registers.field import Field
from tests.support.waiting import pause

Nemesis = Callable[[], None]


class Nemeses:
    """The nemeses of *field*; each method does one thing, lets the load go on for a while, and mends it."""

    def __init__(self, field: Field, seed: int, *, longest: float = 1.5) -> None:
        self._field, self._draw, self._longest = field, random.Random(seed), longest

    def gentle(self) -> list[Nemesis]:
        """Those that cost no acknowledged write."""
        return [
            self.lag,
            self.freeze_link,
            self.cut_link,
            self.pause_replica,
            self.restart_replica,
            self.half_open_replica,
            self.half_open_master,
            self.reset_upstreams,
            self.refuse_upstreams,
            self.pause_master,
            self.planned,
        ]

    def losing(self) -> list[Nemesis]:
        """Failovers in which the servers may lose acknowledged writes."""
        return [self.crash, self.switch, self.switch_frozen]

    def draw(self, nemeses: list[Nemesis], number: int) -> list[Nemesis]:
        """Return so many of *nemeses*, in an order of the seed's."""
        return self._draw.sample(nemeses, number)

    def _while(self, longest: float | None = None) -> None:
        pause(self._draw.uniform(0.1, longest or self._longest))

    def _replica(self) -> Server:
        return self._draw.choice(self._field.replicas)

    def _uplink(self, what: str) -> Forwarder:
        return self._link_of(self._replica(), what)

    def _link_of(self, server: Server, what: str) -> Forwarder:
        self._field.note(f"{what} the link of {self._field.name(server)}")
        return self._field.uplinks[server]

    def _front(self, server: Server, what: str) -> Forwarder:
        pod = self._draw.randrange(len(self._field.fronts))
        self._field.note(f"{what} the way of pod {pod} to {self._field.name(server)}")
        return self._field.fronts[pod][server]

    # -- links ---------------------------------------------------------------------------------

    def lag(self) -> None:
        server = self._replica()
        self._link_of(server, "delay").delay(self._draw.choice((0, 100, 300)))
        self._while()
        self._field.calm(server)

    def freeze_link(self) -> None:
        link = self._uplink("freeze")
        link.freeze()
        self._while()
        link.thaw()

    def cut_link(self) -> None:
        link = self._uplink("cut")
        link.cut()
        self._while()
        link.mend()

    def half_open_replica(self) -> None:
        self._half_open(self._replica())

    def half_open_master(self) -> None:
        self._half_open(self._field.master)

    def _half_open(self, server: Server) -> None:
        front = self._front(server, "freeze")
        front.freeze()
        self._while(2 * self._longest)
        if self._draw.random() < 0.5:
            front.drop()
        front.thaw()

    def reset_upstreams(self) -> None:
        for _ in range(3):
            self._front(self._draw.choice(self._field.servers), "reset").drop()
            self._while(0.2)

    def refuse_upstreams(self) -> None:
        front = self._front(self._draw.choice(self._field.servers), "cut")
        front.cut()
        self._while()
        front.mend()

    # -- servers -------------------------------------------------------------------------------

    def pause_replica(self) -> None:
        self._pause(self._replica())

    def pause_master(self) -> None:
        self._pause(self._field.master)

    def _pause(self, server: Server) -> None:
        self._field.note(f"SIGSTOP {self._field.name(server)}")
        server.pause()
        self._while(2 * self._longest)
        server.resume()

    def restart_replica(self) -> None:
        server = self._replica()
        self._field.note(f"kill -9 {self._field.name(server)} and start it")
        server.kill()
        self._while(0.5)
        server.start("--replicaof", f"{HOST} {self._field.uplinks[server].port}")

    # -- failovers -----------------------------------------------------------------------------

    def planned(self) -> None:
        self._field.linked()
        self._field.planned(self._replica())
        self._while()

    def crash(self) -> None:
        self._field.crash(self._replica())
        self._while()

    def switch(self) -> None:
        self._field.switch(self._replica(), frozen=False)
        self._while()

    def switch_frozen(self) -> None:
        self._field.switch(self._replica(), frozen=True)
        self._while()
