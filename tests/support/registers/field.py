"""Three servers and the ambassadors of two pods, with a forwarder on every way between them.

Each server follows through an *uplink* of its own, whose target is the master of the moment; each pod
reaches each server through a *front* of its own. Pod 1 promises its own writes only: where the floor of pod 0
would keep most reads from the replicas, single marks have to. The plain clients of the one share connections,
those of the other have their own.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterable, Mapping, Sequence

from tests.support.ambassador import Ambassador
from tests.support.forwarder import Forwarder
from tests.support.redis_servers import HOST, Context, Server
from tests.support.registers.history import History, Loss
from tests.support.registers.players import PAIRS, REGISTERS
from tests.support.secured import SHARED_BY_TLS, TWIN_BY_TLS, by_tls, secure
from tests.support.shared_path import PURE, SHARED
from tests.support.waiting import until

FORMS = SHARED, PURE  # of the pods
_LAG = 5, 15, 40  # milliseconds, by server
KEYS = [*REGISTERS, *(key for pair in PAIRS for key in pair)]


class Ground(Context):
    """Servers and pods; what is done to them *history* is told. Whoever derives from it sets up the rest."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.pods: list[Ambassador] = []
        self._stack = contextlib.ExitStack()
        try:
            self.servers = self.start()
            self.master = self.servers[0]
            self.set_up()
        except BaseException:
            self._stack.close()
            raise

    def start(self) -> list[Server]:
        """Return three servers, the master first."""
        return [self._stack.enter_context(Server()) for _ in range(3)]

    def set_up(self) -> None:
        raise NotImplementedError

    @property
    def replicas(self) -> list[Server]:
        return [server for server in self.servers if server is not self.master]

    def close(self) -> None:
        self._stack.close()

    def note(self, act: str) -> None:
        """Keep in mind what was done, and when."""
        self.history.acts.append(f"{time.monotonic():.4f} {act}")

    def name(self, server: Server) -> str:
        return f"server{self.servers.index(server)}"

    def linked(self) -> None:
        """Wait until all replicas have all that the master has now."""
        for server in self.replicas:
            server.wait_link()
        wanted = self.master.info("replication")["master_repl_offset"]
        for server in self.replicas:
            has = functools.partial(self._has, server, wanted)
            until(has, 60, f"{self.name(server)} to have {wanted}")

    @staticmethod
    def _has(server: Server, wanted: int) -> bool:
        return bool(server.info("replication").get("slave_repl_offset", -1) >= wanted)


class Field(Ground):
    """The servers and pods, with forwarders."""

    forms: Sequence[Mapping[str, str]] = FORMS

    def set_up(self) -> None:
        target = HOST, self.master.port
        self.uplinks = {s: self._stack.enter_context(Forwarder(target)) for s in self.servers}
        for server in self.replicas:
            self.follow(server)
        for server in self.servers:
            self.calm(server)
        self.fronts = [
            {s: self._stack.enter_context(Forwarder((HOST, self._port(s, form)))) for s in self.servers}
            for form in self.forms
        ]
        for fronts, consistency, form in zip(self.fronts, ("session", "own-writes"), self.forms, strict=True):
            self.pods.append(self._stack.enter_context(self._pod(fronts.values(), consistency, form)))
        self.history.causal = {0}

    @staticmethod
    def _port(server: Server, form: Mapping[str, str]) -> int:
        known = by_tls(form)
        return secure(server, known) if known else server.port

    @staticmethod
    def _pod(fronts: Iterable[Forwarder], consistency: str, form: Mapping[str, str]) -> Ambassador:
        addresses, known = ",".join(front.address for front in fronts), by_tls(form)
        flags = known.flags() if known else ()
        return Ambassador("--servers", addresses, "--consistency", consistency, *flags, env=form)

    # -- replication ---------------------------------------------------------------------------

    def calm(self, server: Server) -> None:
        """Let *server* lag as it always does: without any lag a stale read is hard to come by."""
        self.uplinks[server].delay(_LAG[self.servers.index(server)])

    def follow(self, server: Server, *, wait: bool = True) -> None:
        """Let *server* follow the master of the moment through its uplink."""
        uplink = self.uplinks[server]
        uplink.target = HOST, self.master.port
        server.client().replicaof(HOST, uplink.port)
        uplink.drop()  # one that followed another master does not notice otherwise
        if wait:
            server.wait_link()

    def promote(self, server: Server) -> dict[str, bytes | None]:
        """Make *server* a master; return what it has at that moment."""
        client = server.client()
        with client.pipeline(transaction=True) as block:
            block.mget(KEYS)
            block.execute_command("REPLICAOF", "NO", "ONE")
            values, _ = block.execute()
        self.master = server
        return dict(zip(KEYS, values, strict=True))

    # -- failovers -----------------------------------------------------------------------------

    def planned(self, chosen: Server) -> None:
        """Hand over by FAILOVER, which loses nothing."""
        old = self.master
        self.note(f"FAILOVER {self.name(old)} -> {self.name(chosen)}")
        old.hand_over(chosen)
        until(lambda: chosen.info("replication")["role"] == "master", 60, "the promotion")
        self.master = chosen
        for server in self.replicas:
            self.follow(server)

    def crash(self, chosen: Server) -> None:
        """Kill the master, promote *chosen*, bring the old one back as a replica."""
        old, since = self.master, time.monotonic()
        self.note(f"kill -9 {self.name(old)}, then {self.name(chosen)} is the master")
        old.kill()
        until_killed = time.monotonic()
        survived = self.promote(chosen)
        self.history.losses.append(Loss(since, until_killed, survived))
        for server in self.replicas:
            if server is not old:
                self.follow(server, wait=False)
        self.uplinks[old].target = HOST, self.master.port
        old.start("--replicaof", f"{HOST} {self.uplinks[old].port}")
        self.linked()

    def switch(self, chosen: Server, *, frozen: bool) -> None:
        """Promote *chosen* while the old master goes on (or stands still), and demote that only then."""
        old, since = self.master, time.monotonic()
        self.note(f"{self.name(chosen)} is the master, {self.name(old)} {'frozen' if frozen else 'demoted'}")
        if frozen:
            old.pause()
        survived = self.promote(chosen)
        for server in self.replicas:
            if server is not old:
                self.follow(server)
        if frozen:
            old.resume()
        self.follow(old, wait=False)
        self.history.losses.append(Loss(since, time.monotonic(), survived))
        self.linked()


class SecuredField(Field):
    """The same by TLS: the plain clients of both pods share connections."""

    forms = SHARED_BY_TLS, TWIN_BY_TLS
