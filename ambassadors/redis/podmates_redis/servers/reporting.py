"""What the probes and the log are told of the servers."""

from __future__ import annotations

import logging
import time

from podmates_common.health import Health
from podmates_common.logs import Condition
from podmates_redis.servers.absence import Absence
from podmates_redis.servers.probing import Node, Probing

log = logging.getLogger(__name__)

SILENCE = 5.0  # seconds without an answer of its own after which a master is no longer vouched for
_NO_REPLICA = "no replica can take reads, the master takes them"


class Report:
    """Says who is there, again whenever something was decided; *critical*: not ready without a master."""

    def __init__(self, health: Health, *, critical: bool = True) -> None:
        self._health, self.absence = health, Absence()
        self._master, self._replica = Condition(log, "master"), Condition(log, "replica")
        health.expect("master", within=SILENCE, critical=critical)
        health.expect("replica", within=float("inf"), critical=False)
        health.fail("master", "no server has said yet that it is the master")

    def tell(self, probing: Probing, serving: bool) -> None:
        """Report on the master of *probing*, and whether a replica is *serving*."""
        master, asked = probing.master, probing.all_asked()
        self.absence.look(time.monotonic(), probing.away())
        if master is not None and _speaks(master) and not master.seen.loading:
            self._health.ok("master")
            self._master.ok()
        elif asked:
            problem = _no_master(probing)
            self._health.fail("master", problem)
            self._master.fail(problem)
        if serving:
            self._health.ok("replica")
            self._replica.ok()
        elif asked:
            self._health.fail("replica", _NO_REPLICA)
            self._replica.fail(_NO_REPLICA)


def _no_master(probing: Probing) -> str:
    master = probing.master
    if master is not None:
        why = "is loading its data" if _speaks(master) else f"does not answer: {master.seen.problem}"
        return f"the master {master.seen.name} {why}"
    faults = "; ".join(f"{n.seen.name}: {n.seen.problem or n.seen.role}" for n in probing.nodes.values())
    return f"no server says that it is the master ({faults})"


def _speaks(node: Node) -> bool:
    return node.seen.answered and time.monotonic() - node.answered_at <= SILENCE
