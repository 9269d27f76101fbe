"""Which replicas take reads: applies the judges of `fitness` and `election`, and the rules for hard times."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from podmates_redis.marks import Follower
from podmates_redis.servers.choosing import Zone, zone_of
from podmates_redis.servers.election import why_unusable
from podmates_redis.servers.fitness import Limits
from podmates_redis.servers.probing import Node
from podmates_redis.session.shared import Shared

log = logging.getLogger(__name__)

FAILED = "connections to it failed"
FEW = "too few replicas are left"
BARRED = "an operator has sent it away"
GONE = "not among the servers any more"
_REASONS = {  # in the metric, for what stands in the log; anything else is a server that does not answer
    "lag": "lag",
    FAILED: "failures",
    FEW: "panic",
    BARRED: "operator",
    "loading its data": "loading",
    "follows another master": "history",
    "its link to the master is down": "link",
    "its link to the master is silent": "link",
    "no master for too long": "no_master",
}


@dataclass(slots=True, kw_only=True)
class Rules:
    """What the settings say of reading. A reload changes them in place."""

    limits: Limits = field(default_factory=Limits)
    fallback: str = "master"  # without a replica; or error, stale
    min_healthy: int = 1  # with fewer than that there is none
    stale_ok: float = 0.0  # seconds without a master for which replicas are read; 0: for ever
    zones: tuple[Zone, ...] = ()
    barred: set[str] = field(default_factory=set)  # replicas that an operator has sent away, by name


class Readers:
    """Keeps `Shared.followers`; *eject* is called with one that must be left at once."""

    def __init__(self, shared: Shared, rules: Rules, eject: Callable[[Follower], None]) -> None:
        self._shared, self._rules, self._eject = shared, rules, eject
        self._away_since: float | None = None
        self._history = ""  # of the last master

    def decide(self, nodes: Iterable[Node], master: Node | None) -> None:
        """Take *nodes* in use or out of it, by what is known of them now."""
        now, others = time.monotonic(), [node for node in nodes if node is not master]
        self._home(master, now)
        if master is not None:
            self._take(master, "is the master")
        whys = {id(node): self._why(node, master, now) for node in others}
        usable = [node for node in others if not whys[id(node)]]
        self._shared.why_nobody = "lag" if "lag" in whys.values() else "no_replica"
        few = len(usable) < self._rules.min_healthy
        for node in others:
            why = whys[id(node)]
            node.follower.late = False
            if few and why == "lag" and self._rules.fallback == "stale":
                node.follower.late, why = True, ""
            elif few and not why and self._rules.fallback != "stale":
                why = FEW
            node.follower.share = node.breaker.share(now)
            node.follower.zone = zone_of(self._rules.zones, node.address.host, node.seen.zone)
            self._take(node, why)

    def drop(self, node: Node, *, gently: bool = False) -> None:
        """Read *node* no more; *gently*: what is on its way there may come."""
        self._take(node, GONE, gently=gently)
        self._shared.tally.forget(node.seen.name)

    def failed(self, node: Node) -> None:
        """A connection to *node* was refused, lost, or timed out."""
        if node.breaker.failed(time.monotonic()):
            self._take(node, FAILED)

    def _home(self, master: Node | None, now: float) -> None:
        """Keep what stands for the master among those that may be read."""
        home, answers = self._shared.home, master is not None and master.seen.answered
        home.usable = answers
        if answers and master is not None:
            self._history = master.seen.history
        if master is not None:
            home.name, home.distance = master.seen.name, master.follower.distance
            home.zone = zone_of(self._rules.zones, master.address.host, master.seen.zone)
        self._away_since = None if answers else (self._away_since or now)

    def _why(self, node: Node, master: Node | None, now: float) -> str:
        if node.seen.name in self._rules.barred:
            return BARRED
        if node.breaker.out:
            return FAILED  # also where its own words do not say so
        seen = master.seen if master else None
        why = why_unusable(node.seen, seen, self._history, late=node.lag.over)
        long = self._away_since is not None and now - self._away_since > self._rules.stale_ok
        return "no master for too long" if not why and self._rules.stale_ok and long else why

    def _take(self, node: Node, why: str, *, gently: bool = False) -> None:
        follower, node.why = node.follower, why
        if follower.usable is (not why):
            return
        follower.usable = not why
        if follower.usable:
            # it starts level with the others, or it would get every client until it is
            follower.turn = max((other.turn for other in self._shared.followers), default=0.0)
            self._shared.followers.append(follower)
            self._shared.news()
            return
        self._shared.followers.remove(follower)
        log.info("replica %s takes no reads: %s", follower.name, why)
        self._shared.news()
        if not gently:
            self._eject(follower)


def reason(why: str) -> str:
    """Return what the metric calls *why* a replica takes no reads."""
    return _REASONS.get(why, "down")
