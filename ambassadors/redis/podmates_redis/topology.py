"""Who is the master, who takes reads: decides from what the servers say, and tells the clients."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from podmates_common.health import Health
from podmates_common.logs import Condition
from podmates_common.parse import Address
from podmates_redis.asking import Asker, Unanswered
from podmates_redis.client import Client
from podmates_redis.commands import learnt
from podmates_redis.election import elect, observed, why_unusable
from podmates_redis.marks import Follower
from podmates_redis.probing import Node, Probing
from podmates_redis.shared import Shared
from podmates_redis.state import State, opening, optional
from podmates_redis.upstream import Greeting, Owner, Refused, Upstream

log = logging.getLogger(__name__)

_SILENCE = 5.0  # seconds without an answer of its own after which a master is no longer vouched for
_FIRST_LOOK = 1.0  # seconds in which every server may answer before the first master is chosen
_NO_REPLICA = "no replica can take reads, the master takes them"
Login = Callable[[], tuple[bytes, bytes | None]]


class Topology:
    """The servers, as far as they are known."""

    def __init__(
        self, shared: Shared, health: Health, ask: Callable[[Address], Asker], *, max_lag: int, login: Login
    ) -> None:
        self._shared, self._health = shared, health
        self._max_lag, self._login = max_lag, login
        self._probing = Probing(shared, ask, decide=self._decide, forgotten=self._forgotten)
        self.clients: set[Client] = set()
        self.failovers = 0
        self._started = time.monotonic()
        self._settled = False
        self._moved = asyncio.Event()
        self._learning: asyncio.Task[None] | None = None
        self._master_condition = Condition(log, "master")
        self._replica_condition = Condition(log, "replica")
        health.expect("master", within=_SILENCE)
        health.expect("replica", within=float("inf"), critical=False)
        health.fail("master", "no server has said yet that it is the master")

    def watch(self, addresses: Iterable[Address]) -> None:
        """Ask exactly *addresses* from now on."""
        self._probing.watch(addresses)

    async def stop(self) -> None:
        """Ask nobody any more."""
        await self._probing.stop()

    # -- what clients ask --------------------------------------------------------------------

    def master(self) -> Address | None:
        """Return where the master is, as far as is known."""
        node = self._probing.master
        return node.address if node else None

    def current(self) -> list[Address]:
        """Return where the master is, as a list of one or none."""
        master = self.master()
        return [] if master is None else [master]

    def known(self) -> bool:
        """Tell whether there ever was a master."""
        return self._settled

    def serving(self) -> bool:
        """Tell whether a replica answers reads."""
        return any(f.usable for f in self._shared.followers)

    def hurry(self) -> None:
        """Probe soon: reads are being turned away."""
        self._shared.turned_away = False
        self._probing.hurry()

    def suspect(self) -> None:
        """Ask every server at once: one behaved unlike what it was taken for."""
        self._probing.suspect()

    def doubt(self) -> None:
        """A connection to the master was lost."""
        self._probing.doubt()

    async def changed(self) -> None:
        """Wait until there is another master."""
        await self._moved.wait()

    async def open_master(self, owner: Owner, state: State, at: Address) -> Upstream:
        """Return a connection to the master in *state*; see `Upstream.open`."""
        return await Upstream.open(at, owner, self._greeting(state, _is_master))

    async def open_replica(self, owner: Owner, state: State, follower: Follower) -> Upstream:
        """Return a connection in *state* to a replica, and to the process that was probed."""
        node = self._probing.nodes.get(follower.name)
        if node is None:
            raise Refused("is not among the servers any more")
        return await Upstream.open(node.address, owner, self._greeting(state, _still_covers(node)))

    def _greeting(self, state: State, check: Callable[[dict[str, str]], str]) -> Greeting:
        if not self._shared.policy.passthrough:
            user, password = self._login()
            state = replace(state, user=user, password=password)
        return Greeting(opening(state), optional(state), check)

    # -- what the metrics show ---------------------------------------------------------------

    def roles(self) -> list[tuple[tuple[str, str], int]]:
        """Return (server, role) and whether it answers and is used in that role."""
        found = []
        for name, node in self._probing.nodes.items():
            master = node is self._probing.master
            used = node.seen.answered if master else node.follower.usable
            found.append(((name, "master" if master else "replica"), int(used)))
        return found

    def lags(self) -> list[tuple[tuple[str], int]]:
        """Return by how many bytes each replica is behind."""
        master = self._probing.master
        if master is None:
            return []
        others = [node for node in self._probing.nodes.values() if node is not master]
        return [((n.seen.name,), max(0, master.seen.offset - n.seen.offset)) for n in others]

    # -- what follows from the answers -------------------------------------------------------

    def _decide(self) -> None:
        self._elect()
        master = self._probing.master
        for node in self._probing.nodes.values():
            seen = master.seen if master else None
            why = "is the master" if node is master else why_unusable(node.seen, seen, self._max_lag)
            self._use(node.follower, why)
        if self._probing.nodes:
            self._report(master)

    def _elect(self) -> None:
        nodes, current = self._probing.nodes, self._probing.master
        if not self._settled and not self._all_asked() and time.monotonic() - self._started < _FIRST_LOOK:
            return
        chosen = nodes.get(elect([n.seen for n in nodes.values()], current.seen.name if current else ""))
        if chosen is current:
            return
        self._probing.master = chosen
        if chosen is not None:
            self._switch(chosen)

    def _all_asked(self) -> bool:
        nodes = self._probing.nodes.values()
        return bool(nodes) and all(node.seen.problem != "not asked yet" for node in nodes)

    def _switch(self, chosen: Node) -> None:
        log.info(
            "master is %s", chosen.seen.name, extra={"fields": {"before": self._shared.master_name or "none"}}
        )
        self.failovers += self._settled
        self._settled = True
        self._shared.master_name = chosen.seen.name
        self._probing.forget()
        chosen.kick.set()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self._learning = asyncio.get_running_loop().create_task(self._learn(chosen))
        for client in list(self.clients):
            client.pair.master_moved()

    async def _learn(self, node: Node) -> None:
        try:
            self._shared.table = learnt(await node.asker.commands())
        except (Unanswered, ValueError, TypeError, LookupError, AttributeError) as error:  # or an odd answer
            log.warning("cannot learn the commands of %s, using those built in: %s", node.seen.name, error)

    def _use(self, follower: Follower, why_not: str) -> None:
        follower.why_not = "lag" if why_not == "lag" else "no_replica"
        if follower.usable is (not why_not):
            return
        follower.usable = not why_not
        if follower.usable:
            self._shared.followers.append(follower)
            return
        self._shared.followers.remove(follower)
        log.info("replica %s takes no reads: %s", follower.name, why_not)
        for client in list(self.clients):
            client.pair.eject(follower)

    def _forgotten(self, node: Node) -> None:
        self._use(node.follower, "not among the servers any more")
        if node is self._probing.master:
            self._probing.master = None

    def _report(self, master: Node | None) -> None:
        if master is not None and _speaks(master) and not master.seen.loading:
            self._health.ok("master")
            self._master_condition.ok()
        elif self._all_asked():
            problem = self._no_master(master)
            self._health.fail("master", problem)
            self._master_condition.fail(problem)
        if self._shared.followers:
            self._health.ok("replica")
            self._replica_condition.ok()
        elif self._all_asked():
            self._health.fail("replica", _NO_REPLICA)
            self._replica_condition.fail(_NO_REPLICA)

    def _no_master(self, master: Node | None) -> str:
        if master is not None:
            why = "is loading its data" if _speaks(master) else f"does not answer: {master.seen.problem}"
            return f"the master {master.seen.name} {why}"
        nodes = self._probing.nodes.values()
        faults = "; ".join(f"{n.seen.name}: {n.seen.problem or n.seen.role}" for n in nodes)
        return f"no server says that it is the master ({faults})"


def _speaks(node: Node) -> bool:
    return node.seen.answered and time.monotonic() - node.answered_at <= _SILENCE


def _locked(fields: dict[str, str]) -> bool:
    """A client that logs in with its own credentials has not done so yet; the server will ask it to."""
    return fields.get("error", "").startswith("NOAUTH")


def _is_master(fields: dict[str, str]) -> str:
    if _locked(fields) or fields.get("role") == "master":
        return ""
    return fields.get("error") or f"says that it is a {fields.get('role', 'stranger')}"


def _still_covers(node: Node) -> Callable[[dict[str, str]], str]:
    """A server that was started anew may have less than what its predecessor was proven to have."""

    def check(fields: dict[str, str]) -> str:
        if _locked(fields):
            return ""
        seen = observed(node.seen.name, fields)
        if seen.role != "slave" or seen.history != node.seen.history:
            return "is not the replica that was probed"
        return "has less than was proven" if seen.offset < node.follower.proven_at else ""

    return check
