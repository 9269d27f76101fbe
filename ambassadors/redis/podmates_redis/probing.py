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
from podmates_redis.asking import Asker, Unanswered
from podmates_redis.election import Seen, observed
from podmates_redis.marks import Follower
from podmates_redis.shared import Shared

log = logging.getLogger(__name__)

CALM = 1.0  # seconds between probes when nothing is wanted
UNSETTLED = 0.1  # while there is no master, or one is in doubt
HURRIED = 0.01  # while reads are turned away for want of proof


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
    fresh: bool = True  # its connection was made anew since the last proof
    task: asyncio.Task[None] | None = None


class Probing:
    """The servers and the tasks that ask them.

    *decide* is called after every answer; *forgotten* when a server is not to be asked any more.
    """

    def __init__(
        self,
        shared: Shared,
        ask: Callable[[Address], Asker],
        *,
        decide: Callable[[], None],
        forgotten: Callable[[Node], None],
    ) -> None:
        self._shared, self._ask = shared, ask
        self._decide, self._forgotten = decide, forgotten
        self.nodes: dict[str, Node] = {}
        self.master: Node | None = None
        self._hurried_at = float("-inf")
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
        return UNSETTLED if self.away() or self._doubt else CALM

    def _behind(self, follower: Follower) -> bool:
        return follower.usable and follower.covered < self._shared.marks.newest_proof()

    async def _probe(self, node: Node) -> None:
        """Ask *node* once; if it is the master, this is a probe of `marks`."""
        marks, is_master = self._shared.marks, node is self.master
        node.asked_at = time.monotonic()
        self._suspected = False
        token = marks.begin(node.asked_at) if is_master else None
        try:
            seen = observed(node.seen.name, await node.asker.replication())
        except (Unanswered, ValueError) as error:  # or an answer that makes no sense
            self._unanswered(node, str(error))
            return
        node.seen, node.answered_at = seen, time.monotonic()
        if token and seen.role == "master" and node is self.master:
            self._proven(node, token)
        elif seen.role == "slave":
            marks.cover(node.follower, seen.history, seen.offset)

    @staticmethod
    def _unanswered(node: Node, problem: str) -> None:
        node.seen = replace(node.seen, answered=False, problem=problem)
        node.fresh = True
        node.follower.covered = node.follower.proven_at = 0  # it may come back with less than it had

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
