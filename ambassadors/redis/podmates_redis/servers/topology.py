"""Who is the master, who takes reads: decides from what the servers say, and tells the clients."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from podmates_common.parse import Address
from podmates_redis.marks import Follower
from podmates_redis.servers.asking import Asker
from podmates_redis.servers.dependents import Dependents
from podmates_redis.servers.election import Claim, Seen, elect
from podmates_redis.servers.figures import Figures
from podmates_redis.servers.lessons import Lessons
from podmates_redis.servers.opening import Login, Opening
from podmates_redis.servers.pacing import Opener
from podmates_redis.servers.probing import Node, Probing
from podmates_redis.servers.readers import Readers, Rules
from podmates_redis.servers.reporting import Report
from podmates_redis.servers.roll import Manner, Roll
from podmates_redis.servers.succession import Succession
from podmates_redis.servers.upstream import Owner, Refused, Upstream
from podmates_redis.session.shared import Shared
from podmates_redis.session.state import State

log = logging.getLogger(__name__)

_FIRST_LOOK = 1.0  # seconds in which every server may answer before the first master is chosen
_HOLD = 0.7  # of the time that a command waits for a master: writes wait for one that is about to change
_AGAIN = 30.0  # seconds in which that happens once, whatever a sentinel says
_OPEN = 10.0  # seconds without a master after which commands wait for one no more
_GRACE = 1.0  # seconds for what is on its way to a server that is left
_ANY = Rules()
_FIXED = Manner()


class Topology:
    """The servers, as far as they are known; tells *dependents* when one changes its part."""

    def __init__(
        self,
        shared: Shared,
        report: Report,
        ask: Callable[[Address], Asker],
        *,
        rules: Rules = _ANY,
        login: Login,
        master_wait: float = 2.0,
        opener: Opener | None = None,
        manner: Manner = _FIXED,
    ) -> None:
        self._shared, self.master_wait, self._manner = shared, master_wait, manner
        self.dependents = Dependents()
        self._readers = Readers(shared, rules, self.dependents.eject)
        self._opener = opener or Opener()
        self._opening = Opening(shared, login, self._opener, self._readers, clustered=manner.clustered)
        self._probing = Probing(
            shared,
            ask,
            limits=rules.limits,
            manner=manner,
            believes=self._believes,
            decide=self._decide,
            forgotten=self._forgotten,
        )
        self.figures = Figures(self._probing, rules)
        self._started = time.monotonic()
        self._settled = False
        self._claim: Claim | None = None
        self._moved, self._trouble = asyncio.Event(), asyncio.Event()
        self._roll, self._succession = Roll(manner), Succession()
        self._gently = False
        self._process = ""  # of the master
        self._lessons = Lessons(shared)
        self.report = report
        self._resigned: Node | None = None  # the master that is about to be replaced
        self._resigned_until = float("-inf")

    def watch(self, addresses: Iterable[Address], *, gently: bool = False) -> None:
        """Ask exactly *addresses* from now on, and the replicas that the master has, if these are learnt.

        *gently*: what is on its way to one that is left may come, for a second.
        """
        self._gently = gently
        self._probing.watch(Address(*place) for place in self._roll.give(addresses))

    async def stop(self) -> None:
        """Ask nobody any more."""
        await self._probing.stop()

    # -- what clients ask --------------------------------------------------------------------

    def master(self) -> Address | None:
        """Return where the master is, as far as is known."""
        node = self._probing.master
        return node.address if node else None

    def watched(self) -> list[Address]:
        """Return every server that is asked."""
        return [node.address for node in self._probing.nodes.values()]

    def claimed(self, claim: Claim | None) -> None:
        """Take up whom the sentinels name; None: there are none to ask, and the servers' own words count."""
        before, self._claim = self._claim, claim
        if claim != before:
            self._probing.suspect()
        self._decide()

    def leading(self) -> list[Address]:
        """Return every server that says that it is the master."""
        nodes = self._probing.nodes.values()
        return [node.address for node in nodes if node.seen.answered and node.seen.role == "master"]

    def follows(self, history: str) -> bool:
        """Tell whether the master is the one that a connection found, when it was made, with *history*."""
        master = self._probing.master
        return not history or master is None or master.seen.history == history

    async def troubled(self) -> None:
        """Wait until something behaves unlike what it was taken for."""
        await self._trouble.wait()

    def resign(self, successor: str) -> None:
        """Send the master nothing more for now: *successor* is about to be promoted.

        What it would take from now on would be lost. It comes back when nobody else says in time that it is
        the master.
        """
        master, chosen = self._probing.master, self._probing.nodes.get(successor)
        now = time.monotonic()
        if master is None or chosen is None or now < self._resigned_until + _AGAIN:
            return
        if chosen.seen.role != "slave" or chosen.seen.history != master.seen.history:
            return
        log.info("master %s is about to be replaced by %s", master.seen.name, successor)
        self._resigned, self._resigned_until = master, now + _HOLD * self.master_wait
        self._probing.master = None
        self._probing.suspect()
        self.dependents.master_moved()

    def reinstate(self) -> None:
        """The master stays: nobody replaces it."""
        self._resigned_until = min(self._resigned_until, time.monotonic())
        self._decide()

    def away(self) -> bool:
        """Tell whether there is no master that answers."""
        return self._probing.away()

    def known(self) -> bool:
        """Tell whether there ever was a master."""
        return self._settled

    def hopeless(self) -> bool:
        """Tell whether there has been no master for so long that nobody should wait for one."""
        return self.report.absence.lasting(time.monotonic()) > max(_OPEN, self.master_wait)

    def serving(self) -> bool:
        """Tell whether a replica answers reads."""
        return any(f.usable for f in self._shared.followers)

    def hurry(self) -> None:
        """Probe soon: reads are being turned away."""
        self._shared.turned_away = False
        self._probing.hurry()

    def suspect(self) -> None:
        """Ask every server at once: one behaved unlike what it was taken for."""
        self._alarm()
        self._probing.suspect()

    def doubt(self) -> None:
        """A connection to the master was lost."""
        self._alarm()
        self._probing.doubt()

    async def changed(self) -> None:
        """Wait until there is another master."""
        await self._moved.wait()

    async def open_master(self, owner: Owner, state: State, at: Address) -> Upstream:
        """Return a connection to the master in *state*; see `Upstream.open`."""
        node = self._probing.master
        if node is None or node.address != at:
            raise Refused("is not the master any more")
        await self._lessons.taught()
        return await self._opening.master(owner, state, node)

    async def open_replica(self, owner: Owner, state: State, follower: Follower) -> Upstream:
        """Return a connection in *state* to a replica, and to the process that was probed."""
        node = self._probing.nodes.get(follower.name)
        if node is None:
            raise Refused("is not among the servers any more")
        return await self._opening.replica(owner, state, node)

    async def tell_replicas(self, *words: str) -> bool:
        """Have every replica run *words*; tell whether one of them did."""
        return await self._opening.tell(set(self._probing.nodes.values()) - {self._probing.master}, words)

    def lost(self, follower: Follower) -> None:
        """A connection to a replica was lost."""
        node = self._probing.nodes.get(follower.name)
        if node is not None:
            self._readers.failed(node)
        self.suspect()

    # -- what follows from the answers -------------------------------------------------------

    def _believes(self, seen: Seen) -> bool:
        """Tell whether what a server says of itself counts, or may be of one that was replaced."""
        now, probing = time.monotonic(), self._probing
        held = probing.master or self._resigned
        if self._succession.new(seen, now) and held is not None:
            self.suspect()
        said, asked = held.seen if held else None, probing.asked(apart=seen.name)
        return self._succession.believes(seen, now, said, asked=asked, claim=self._claim)

    def _decide(self) -> None:
        self._elect()
        if (leader := self._probing.master) is not None:
            found = self._roll.learn(leader.seen.followers, time.monotonic())
            if found is not None:
                self._probing.watch(Address(*place) for place in found)
        self._readers.decide(self._probing.nodes.values(), self._probing.master)
        self._opening.hear(self._probing.nodes.values())
        if self._probing.nodes:
            self.report.tell(self._probing, bool(self._shared.followers))

    def _elect(self) -> None:
        nodes, current = self._probing.nodes, self._probing.master
        if (
            not self._settled
            and not self._probing.all_asked()
            and time.monotonic() - self._started < _FIRST_LOOK
        ):
            return
        current = current or self._resigned
        name = elect(
            [n.seen for n in nodes.values()],
            current.seen.name if current else "",
            self._claim,
            split_brain=self._manner.split_brain,
        )
        chosen = nodes.get(name)
        if chosen is not None and chosen is self._resigned:
            if time.monotonic() < self._resigned_until:
                return
            log.info("master is %s again: nobody has replaced it", name)
            self._probing.master, self._resigned = chosen, None
            self._announce()
        elif chosen is not self._probing.master or self._another(chosen):
            before, self._probing.master = self._probing.master, chosen
            if chosen is not None:
                self._resigned = None
                self._switch(chosen)
            elif before is not None and before.seen.role == "master":
                self._announce()  # two of them, and neither is to be written to

    def _another(self, chosen: Node | None) -> bool:
        """Tell whether behind the master's address stands another process than before."""
        if chosen is None or not chosen.seen.answered or not chosen.seen.process:
            return False
        return chosen.seen.process != self._process

    def _switch(self, chosen: Node) -> None:
        log.info(
            "master is %s", chosen.seen.name, extra={"fields": {"before": self._shared.master_name or "none"}}
        )
        same = chosen.seen.name == self._shared.master_name and not self._manner.volatile
        if self._settled and not same:
            self.report.absence.replaced(time.monotonic())
        self._process = chosen.seen.process
        self._settled = True
        self._shared.master_name = chosen.seen.name
        self._probing.forget()
        chosen.kick.set()
        self._lessons.begin(chosen)
        self._announce()

    def _announce(self) -> None:
        self._opener.changed()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self.dependents.master_moved()

    def _alarm(self) -> None:
        trouble, self._trouble = self._trouble, asyncio.Event()
        trouble.set()

    def _forgotten(self, node: Node) -> None:
        self._readers.drop(node, gently=self._gently)
        self._opener.forget(node.seen.name)
        if self._gently:
            asyncio.get_running_loop().call_later(_GRACE, self.dependents.eject, node.follower)
        if node is self._probing.master:
            self._probing.master = None
