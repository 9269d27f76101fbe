"""Three servers whose failovers are the sentinels' business, and the ambassadors that ask those."""

from __future__ import annotations

import time

from tests.support.ambassador import Ambassador
from tests.support.redis_groups import Sentinels
from tests.support.redis_servers import HOST, Pair, Server
from tests.support.registers.field import FORMS, KEYS, Ground
from tests.support.registers.history import Loss
from tests.support.waiting import until

_LAG = 1.0  # seconds by which a replica may be behind when sentinels promote it by order


class Watched(Ground):
    """The servers, a sentinel, and pods that know of it only."""

    def start(self) -> list[Server]:
        pair = self._stack.enter_context(Pair(2))
        self._sentinels = self._stack.enter_context(Sentinels(pair))
        return pair.servers

    def set_up(self) -> None:
        named = "--sentinels", self._sentinels.addresses, "--sentinel-master", self._sentinels.name
        flags = (
            *named,
            "--master-wait=20s",
            "--op-timeout=25s",
        )  # longer than sentinels take on a busy machine
        self.pods += [self._stack.enter_context(Ambassador(*flags, env=form)) for form in FORMS]

    def planned(self) -> None:
        """Let the sentinel hand over; what the old master acknowledges meanwhile it may lose."""
        old, since = self.master, time.monotonic()
        self.note(f"SENTINEL FAILOVER of {self.name(old)}")
        self._sentinels.failover()
        self.master = self._promoted(old)
        until(lambda: old.info("replication")["role"] == "slave", 60, "the old master to follow")
        self.history.losses.append(Loss(since, time.monotonic(), None, reach=since - _LAG))
        self._settled()

    def crash(self, *, as_master: bool = False) -> None:
        """Kill the master, and start it when another one is there, as a replica or as the master it was."""
        old, since = self.master, time.monotonic()
        self.note(f"kill -9 {self.name(old)}")
        old.kill()
        killed = time.monotonic()
        for server in self.replicas:
            server.wait_link("down")  # it has taken all that was on its way
        had = {server: dict(zip(KEYS, server.client().mget(KEYS), strict=True)) for server in self.replicas}
        self.master = self._promoted(old)
        self.history.losses.append(Loss(since, killed, had[self.master]))
        self.note(f"{self.name(old)} comes back as a {'master' if as_master else 'replica'}")
        old.start(*(() if as_master else ("--replicaof", f"{HOST} {self.master.port}")))
        self._settled()

    def _promoted(self, old: Server) -> Server:
        """Return the server that became the master in place of *old*."""
        others = [server for server in self.servers if server is not old]

        def found() -> list[Server]:
            return [server for server in others if server.info("replication")["role"] == "master"]

        return until(found, 60, "a new master")[0]

    def _settled(self) -> None:
        """Wait until the sentinel has ordered all servers, so that it can do so again."""
        until(lambda: self._sentinels.master()[1] == self.master.port, 60, "the sentinel to name the master")
        for server in self.replicas:
            until(lambda server=server: self._follows(server), 90, f"{self.name(server)} to follow")  # type: ignore[misc]
        # one that dies while a failover is still at work is never replaced
        until(self._sentinels.settled, 90, "the sentinel to be done")
        self.linked()

    def _follows(self, server: Server) -> bool:
        facts = server.info("replication")
        return bool(facts["role"] == "slave" and facts["master_port"] == self.master.port)
