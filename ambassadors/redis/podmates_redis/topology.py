"""Keeps asking the servers who they are and how far they have come, and tells the clients what changed.

One task per server, on a connection of its own. The probes of the master carry the proof of `marks`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from podmates_common.health import Health
from podmates_common.logs import Condition
from podmates_common.parse import Address
from podmates_redis.asking import Asker, Unanswered
from podmates_redis.client import Client
from podmates_redis.commands import learnt
from podmates_redis.election import Seen, elect, observed, why_unusable
from podmates_redis.marks import Follower
from podmates_redis.shared import Shared
from podmates_redis.state import opening, optional
from podmates_redis.upstream import Greeting, Upstream

log = logging.getLogger(__name__)

CALM = 1.0  # seconds between probes when nothing is wanted
UNSETTLED = 0.1  # while there is no master, or one is in doubt
HURRIED = 0.01  # while reads are turned away for want of proof
_FIRST_LOOK = 1.0  # seconds in which every server may answer before the first master is chosen


@dataclass(eq=False)
class Node:
    """One server."""

    address: Address
    asker: Asker
    follower: Follower
    seen: Seen
    kick: asyncio.Event = field(default_factory=asyncio.Event)
    asked_at: float = float("-inf")
    fresh: bool = True  # its connection was made anew since the last proof
    task: asyncio.Task[None] | None = None


class Topology:
    """The servers, as far as they are known."""

    def __init__(
        self,
        shared: Shared,
        health: Health,
        ask: Callable[[Address], Asker],
        *,
        max_lag: int,
        login: Callable[[], tuple[bytes, bytes | None]],
    ) -> None:
        self._shared, self._health, self._ask = shared, health, ask
        self._max_lag, self._login = max_lag, login
        self.nodes: dict[str, Node] = {}
        self.clients: set[Client] = set()
        self.failovers = 0
        self._current = ""
        self._started = time.monotonic()
        self._settled = False
        self._hurried_at = float("-inf")
        self._doubt = self._over = False
        self._suspected = False
        self._moved = asyncio.Event()
        self._master_condition = Condition(log, "master")
        self._replica_condition = Condition(log, "replica")
        health.expect("master", within=5.0)
        health.expect("replica", within=float("inf"), critical=False)
        health.fail("master", "no server has said yet that it is the master")

    # -- what clients ask ------------------------------------------------------------

    def master(self) -> Address | None:
        """Return where the master is, as far as is known."""
        node = self.nodes.get(self._current)
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
        self._hurried_at = time.monotonic()
        if node := self.nodes.get(self._current):
            node.kick.set()

    def suspect(self) -> None:
        """Ask every server at once: one behaved unlike what it was taken for."""
        if not self._suspected:
            self._suspected = True
            for node in self.nodes.values():
                node.kick.set()

    def doubt(self) -> None:
        """A connection to the master was lost: nothing counts as proven once there is a new one."""
        self._doubt = True
        self.suspect()

    async def changed(self) -> None:
        """Wait until there is another master."""
        await self._moved.wait()

    async def open_master(self, client: Client, at: Address) -> Upstream:
        """Return a connection to the master in the client's state; see `Upstream.open`."""
        return await Upstream.open(at, client, self._greeting(client, _is_master))

    async def open_replica(self, client: Client, follower: Follower) -> Upstream:
        """Return a connection to a replica in the client's state, and to the process that was probed."""
        node = self.nodes[follower.name]

        def check(fields: dict[str, str]) -> str:
            return self._still_covers(node, fields)

        return await Upstream.open(node.address, client, self._greeting(client, check))

    def _greeting(self, client: Client, check: Callable[[dict[str, str]], str]) -> Greeting:
        state = client.session.state
        if not self._shared.policy.passthrough:
            user, password = self._login()
            state = replace(state, user=user, password=password)
        return Greeting(opening(state), optional(state), check)

    def _still_covers(self, node: Node, fields: dict[str, str]) -> str:
        """A server that was started anew may have less than what its predecessor was proven to have."""
        if _locked(fields):
            return ""
        seen = observed(node.seen.name, fields)
        if seen.role != "slave" or seen.history != node.seen.history:
            return "is not the replica that was probed"
        return "has less than was proven" if seen.offset < node.follower.proven_at else ""

    # -- the servers to ask ------------------------------------------------------------

    def watch(self, addresses: Iterable[Address]) -> None:
        """Ask exactly *addresses* from now on."""
        wanted = {str(address): address for address in addresses}
        for name in [name for name in self.nodes if name not in wanted]:
            self._drop(self.nodes.pop(name))
        for name, address in wanted.items():
            if name not in self.nodes:
                node = Node(address, self._ask(address), Follower(name), Seen(name))
                self.nodes[name] = node
                node.task = asyncio.get_running_loop().create_task(self._follow(node))

    def _drop(self, node: Node) -> None:
        if node.task is not None:
            node.task.cancel()
        node.asker.close()
        self._usable(node, "not among the servers any more")
        if node.seen.name == self._current:
            self._current = ""

    async def stop(self) -> None:
        """Ask nobody any more."""
        self._over = True  # redis-py may take a cancellation for a timeout of its own and go on
        tasks = [node.task for node in self.nodes.values() if node.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        for node in self.nodes.values():
            node.asker.close()

    async def _follow(self, node: Node) -> None:
        while not self._over and self.nodes.get(node.seen.name) is node:
            await self._probe(node)
            self._decide()
            await self._rest(node)

    async def _rest(self, node: Node) -> None:
        wait = self._wait(node)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await node.kick.wait()
        node.kick.clear()
        least = node.asked_at + HURRIED - time.monotonic()
        if least > 0:
            await asyncio.sleep(least)

    def _wait(self, node: Node) -> float:
        """Return the seconds until the next probe of *node*, unless it is kicked."""
        if self._hurried() and not self._master_away() and self._behind(node):
            return HURRIED
        return UNSETTLED if self._master_away() or self._doubt else CALM

    def _hurried(self) -> bool:
        return time.monotonic() - self._hurried_at < 10 * HURRIED

    def _behind(self, node: Node) -> bool:
        return node.follower.usable and node.follower.covered < self._shared.marks.newest_proof()

    def _master_away(self) -> bool:
        node = self.nodes.get(self._current)
        return node is None or not node.seen.answered

    async def _probe(self, node: Node) -> None:
        """Ask *node* once; if it is the master, this is a probe of `marks`."""
        is_master, marks = node.seen.name == self._current, self._shared.marks
        now = node.asked_at = time.monotonic()
        self._suspected = False
        token = marks.begin(now) if is_master else None
        try:
            seen = observed(node.seen.name, await node.asker.replication())
        except Unanswered as error:
            node.seen = replace(node.seen, answered=False, problem=str(error))
            node.fresh = True
            node.follower.covered = node.follower.proven_at = 0
            return
        node.seen = seen
        if token and seen.role == "master" and seen.name == self._current:
            self._proven(node, token)
        elif seen.role == "slave":
            marks.cover(node.follower, seen.history, seen.offset)

    def _proven(self, node: Node, token: tuple[int, int]) -> None:
        """Use the master's answer, unless it may be the first of another life of that server."""
        if self._doubt or node.fresh:
            self._doubt = node.fresh = False
            self._shared.marks.forget(n.follower for n in self.nodes.values())
            node.kick.set()
            return
        self._shared.marks.proven(token, node.seen.history, node.seen.offset)
        self._kick_replicas()

    def _kick_replicas(self) -> None:
        for node in self.nodes.values():
            if node.follower.usable:
                node.kick.set()

    # -- what the metrics show ------------------------------------------------------------

    def roles(self) -> list[tuple[tuple[str, str], int]]:
        """Return (server, role) and whether it answers and is used in that role."""
        found = []
        for name, node in self.nodes.items():
            master = name == self._current
            used = node.seen.answered if master else node.follower.usable
            found.append(((name, "master" if master else "replica"), int(used)))
        return found

    def lags(self) -> list[tuple[tuple[str], int]]:
        """Return by how many bytes each replica is behind."""
        master = self.nodes.get(self._current)
        if master is None:
            return []
        others = [node for node in self.nodes.values() if node is not master]
        return [((n.seen.name,), max(0, master.seen.offset - n.seen.offset)) for n in others]

    # -- what follows from the answers ------------------------------------------------------------

    def _decide(self) -> None:
        self._elect()
        master = self.nodes.get(self._current)
        for node in self.nodes.values():
            why = "is the master" if node is master else self._why_not(node, master)
            self._usable(node, why)
        self._report(master)

    def _why_not(self, node: Node, master: Node | None) -> str:
        return why_unusable(node.seen, master.seen if master else None, self._max_lag)

    def _elect(self) -> None:
        seen = [node.seen for node in self.nodes.values()]
        if not self._settled and not self._all_asked() and time.monotonic() - self._started < _FIRST_LOOK:
            return
        chosen = elect(seen, self._current)
        if chosen == self._current or (not chosen and not self._current):
            return
        if not chosen:
            self._current = ""
            return
        self._switch(chosen)

    def _all_asked(self) -> bool:
        return bool(self.nodes) and all(node.seen.problem != "not asked yet" for node in self.nodes.values())

    def _switch(self, chosen: str) -> None:
        log.info("master is %s", chosen, extra={"fields": {"before": self._current or "none"}})
        self.failovers += self._settled
        self._current, self._settled = chosen, True
        self._shared.master_name = chosen
        self._shared.marks.forget(n.follower for n in self.nodes.values())
        self.nodes[chosen].kick.set()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        task = asyncio.get_running_loop().create_task(self._learn(self.nodes[chosen]))
        self._learning = task
        for client in list(self.clients):
            client.master_moved()

    async def _learn(self, node: Node) -> None:
        try:
            self._shared.table = learnt(await node.asker.commands())
        except Unanswered as error:
            log.warning("cannot learn the commands of %s, using those built in: %s", node.seen.name, error)

    def _usable(self, node: Node, why_not: str) -> None:
        follower = node.follower
        usable, follower.why_not = not why_not, "lag" if why_not == "lag" else "no_replica"
        if usable == follower.usable:
            return
        follower.usable = usable
        if usable:
            self._shared.followers.append(follower)
            return
        self._shared.followers.remove(follower)
        log.info("replica %s takes no reads: %s", follower.name, why_not)
        for client in list(self.clients):
            client.eject(follower)

    def _report(self, master: Node | None) -> None:
        if master is not None and master.seen.answered and not master.seen.loading:
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
            self._health.fail("replica", "no replica can take reads, the master takes them")
            self._replica_condition.fail("no replica can take reads, the master takes them")

    def _no_master(self, master: Node | None) -> str:
        if master is not None:
            return f"the master {master.seen.name} does not answer: {master.seen.problem}"
        faults = "; ".join(f"{n.seen.name}: {n.seen.problem or n.seen.role}" for n in self.nodes.values())
        return f"no server says that it is the master ({faults})"


def _locked(fields: dict[str, str]) -> bool:
    """A client that logs in with its own credentials has not done so yet; the server will ask it to."""
    return fields.get("error", "").startswith("NOAUTH")


def _is_master(fields: dict[str, str]) -> str:
    if _locked(fields) or fields.get("role") == "master":
        return ""
    return fields.get("error") or f"says that it is a {fields.get('role', 'stranger')}"
