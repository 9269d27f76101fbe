"""Asks every server again and again who it is and how far it has come, one task and connection for each.

The probes of the master carry the proof of `marks`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from podmates_common.parse import Address
from podmates_redis.marks import Follower
from podmates_redis.servers.asking import Asker, Unanswered
from podmates_redis.servers.election import Seen, observed
from podmates_redis.servers.fitness import Breaker, Lag, Limits, Offsets
from podmates_redis.servers.roll import Manner
from podmates_redis.servers.succession import NEWCOMER
from podmates_redis.session.shared import Shared

log = logging.getLogger(__name__)

CALM = 1.0  # seconds between probes when nothing is wanted
UNSETTLED = 0.1  # while there is no master, or one is in doubt
HURRIED = 0.01  # while reads are turned away for want of proof

_RENEWAL = 5.0  # seconds for which a volatile address is asked over one connection
_ANY = Limits()
_FIXED = Manner()


@dataclass(eq=False)
class Node:
    """One server."""

    address: Address
    asker: Asker
    follower: Follower
    seen: Seen
    kick: asyncio.Event = field(default_factory=asyncio.Event)
    asked_at: float = float("-inf")
    answered_at: float = float("-inf")
    done_at: float = float("-inf")  # when that was asked which was answered last
    fresh: bool = True  # its connection was made anew since the last proof
    task: asyncio.Task[None] | None = None
    lag: Lag = field(default_factory=Lag)
    breaker: Breaker = field(default_factory=Breaker)
    why: str = ""  # what keeps reads from it
    changes: int = 0  # of its role
    renewed_at: float = float("-inf")
    renew: bool = False  # ask on a new connection: its address may lead elsewhere now


class Probing:
    """The servers and the tasks that ask them.

    An answer that *believes* says no to is none. *decide* is called after every answer; *forgotten* when a
    server is not to be asked any more.
    """

    def __init__(
        self,
        shared: Shared,
        ask: Callable[[Address], Asker],
        *,
        limits: Limits = _ANY,
        manner: Manner = _FIXED,
        believes: Callable[[Seen], bool] = lambda seen: True,
        decide: Callable[[], None],
        forgotten: Callable[[Node], None],
    ) -> None:
        self._shared, self._ask = shared, ask
        self._believes, self._decide, self._forgotten = believes, decide, forgotten
        self.nodes: dict[str, Node] = {}
        self.master: Node | None = None
        self._limits, self._manner = limits, manner
        self.offsets = Offsets()  # of the master
        self._hurried_at = self._doubted_at = float("-inf")
        self._doubt = self._suspected = self._over = False

    def watch(self, addresses: Iterable[Address]) -> None:
        """Ask exactly *addresses* from now on."""
        wanted = {str(address): address for address in addresses}
        for name in [name for name in self.nodes if name not in wanted]:
            node = self.nodes.pop(name)
            if node.task is not None:
                node.task.cancel()
            node.asker.close()
            self._forgotten(node)
        for name, address in wanted.items():
            if name not in self.nodes:
                node = Node(address, self._ask(address), Follower(name), Seen(name))
                self.nodes[name] = node
                node.task = asyncio.get_running_loop().create_task(self._follow(node))

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

    def hurry(self) -> None:
        """Probe soon: reads are being turned away."""
        self._hurried_at = time.monotonic()
        if self.master is not None:
            self.master.kick.set()

    def suspect(self) -> None:
        """Ask every server at once: one behaved unlike what it was taken for."""
        if not self._suspected:
            self._suspected = True
            self._kick(self.nodes.values())

    def doubt(self) -> None:
        """A connection to the master was lost: nothing counts as proven once there is a new one."""
        self._doubt = True
        self.suspect()

    def asked(self, apart: str) -> float:
        """Return since when every server that answers has been asked, *apart* from one."""
        others = (n for n in self.nodes.values() if n.seen.answered and n.seen.name != apart)
        return min((node.done_at for node in others), default=float("inf"))

    def all_asked(self) -> bool:
        """Tell whether every server has had its chance to say who it is."""
        nodes = self.nodes.values()
        return bool(nodes) and all(node.seen.problem != "not asked yet" for node in nodes)

    def away(self) -> bool:
        """Tell whether there is no master that answers."""
        return self.master is None or not self.master.seen.answered

    async def _follow(self, node: Node) -> None:
        while not self._over and self.nodes.get(node.seen.name) is node:
            try:
                await self._probe(node)
                self._decide()
            except (
                Exception
            ) as error:  # a fault of ours must not end the asking, or no failover is seen again
                log.exception("asking %s", node.seen.name)
                self._unanswered(node, f"internal error: {error!r}")
            await self._rest(node)

    async def _rest(self, node: Node) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wait(node)):
                await node.kick.wait()
        node.kick.clear()
        least = node.asked_at + HURRIED - time.monotonic()
        if least > 0:
            await asyncio.sleep(least)

    def _wait(self, node: Node) -> float:
        """Return the seconds until the next probe of *node*, unless it is kicked."""
        hurried = time.monotonic() - self._hurried_at < 10 * HURRIED
        if hurried and not self.away() and self._behind(node.follower):
            return HURRIED
        if node.asked_at - self._doubted_at < UNSETTLED:
            return HURRIED
        if self.away() or self._doubt or node.lag.watched:
            return UNSETTLED
        return CALM * (0.9 + 0.2 * self._shared.chance())  # not all pods at the same moment

    def _hasten(self, now: float) -> None:
        """Look closely: replicas that may be read may take old data of one that is back."""
        if now - self._doubted_at > UNSETTLED:
            self._kick(self.nodes.values())
        self._doubted_at = now

    def _behind(self, follower: Follower) -> bool:
        return follower.usable and follower.covered < self._shared.marks.newest_proof()

    async def _probe(self, node: Node) -> None:
        """Ask *node* once; if it is the master, this is a probe of `marks`."""
        marks, is_master = self._shared.marks, node is self.master
        node.asked_at = time.monotonic()
        self._suspected = False
        token = marks.begin(node.asked_at) if is_master else None
        trying = node.breaker.due(node.asked_at)
        if trying or self._stale(node):
            node.asker.close()  # a try is a connection from its very beginning, as a client makes it
        try:
            seen = observed(node.seen.name, await node.asker.replication())
            if not seen.answered:
                raise Unanswered(seen.problem or "does not say what it is")
        except (Unanswered, ValueError) as error:  # or an answer that makes no sense
            self._unanswered(node, str(error))
            if trying:
                node.breaker.tried(time.monotonic(), good=False)
            return
        if trying:
            node.breaker.tried(time.monotonic(), good=True)
        if seen.busy and seen.role == node.seen.role:
            seen = replace(node.seen, answered=True, busy=True, problem="")
        if not self._believes(seen):
            self._unanswered(node, NEWCOMER)
            self._hasten(node.asked_at)
            return
        node.changes += node.seen.answered and node.seen.role != seen.role
        node.seen, node.answered_at, node.done_at = seen, time.monotonic(), node.asked_at
        if seen.busy:
            self._uncovered(node)  # what it has it does not say
            return
        passed = node.answered_at - node.asked_at
        node.follower.distance += (passed - node.follower.distance) * (0.2 if node.follower.distance else 1)
        if token and seen.role == "master" and node is self.master:
            self.offsets.add(node.asked_at, seen.history, seen.offset)
            self._proven(node, token)
        elif seen.role == "slave":
            marks.cover(node.follower, seen.history, seen.offset)
            self._measure(node)

    def _stale(self, node: Node) -> bool:
        """Tell whether a new connection to *node* may lead elsewhere than this one, and note it."""
        old = self._manner.volatile and (self.away() or node.asked_at - node.renewed_at > _RENEWAL)
        if not (old or node.renew):
            return False
        node.renew, node.renewed_at = False, node.asked_at
        return True

    def _measure(self, node: Node) -> None:
        """Judge how far behind a replica is that has just answered, against what its master said before."""
        offsets, seen = self.offsets, node.seen
        if seen.history == offsets.history:
            node.lag.sample(offsets, node.answered_at, seen.offset, self._limits)

    def _unanswered(self, node: Node, problem: str) -> None:
        node.seen = replace(node.seen, answered=False, problem=problem)
        self._uncovered(node)

    def _uncovered(self, node: Node) -> None:
        node.fresh = True
        self._shared.marks.uncover(node.follower)  # it may come back with less than it had

    def _proven(self, node: Node, token: tuple[int, int]) -> None:
        """Use the master's answer, unless it may be the first of another life of that server."""
        if self._doubt or node.fresh:
            self._doubt = node.fresh = False
            self.forget()
            node.kick.set()
            return
        self._shared.marks.proven(token, node.seen.history, node.seen.offset)
        self._kick(n for n in self.nodes.values() if n.follower.usable)

    def forget(self) -> None:
        """Let nothing count as proven."""
        self._shared.marks.forget(node.follower for node in self.nodes.values())

    @staticmethod
    def _kick(nodes: Iterable[Node]) -> None:
        for node in nodes:
            node.kick.set()
