"""What the metrics show of the servers."""

from __future__ import annotations

from typing import Any

from podmates_redis.servers.choosing import zone_of
from podmates_redis.servers.probing import Node, Probing
from podmates_redis.servers.readers import Rules, reason


class Figures:
    """Figures of the servers that *probing* asks, by the server's name."""

    def __init__(self, probing: Probing, rules: Rules | None = None) -> None:
        self._probing, self._rules = probing, rules or Rules()

    def seen(self, now: float) -> dict[str, Any]:
        """Return what is known of every server, for people; *now* in seconds."""
        master = self._probing.master
        return {
            "master": master.seen.name if master else None,
            "nodes": [self._node(node, now) for node in self._probing.nodes.values()],
        }

    def _node(self, node: Node, now: float) -> dict[str, Any]:
        seen, master = node.seen, self._probing.master
        used = seen.answered if node is master else node.follower.usable
        return {
            "node": seen.name,
            "role": "master" if node is master else "replica",
            "says": seen.role,
            "used": used,
            "why_not": "" if used else (node.why or seen.problem),
            "problem": seen.problem,
            "answered_seconds_ago": round(now - node.answered_at, 3) if node.answered_at > 0 else None,
            "zone": zone_of(self._rules.zones, node.address.host, seen.zone),
            "history": seen.history,
            "offset": seen.offset,
            "lag_bytes": node.lag.bytes if node is not master else 0,
            "lag_seconds": round(node.lag.seconds, 3) if node is not master else 0,
            "role_changes": node.changes,
            "clients": node.follower.readers,
        }

    def roles(self) -> list[tuple[tuple[str, str, str], int]]:
        """Return (server, role, zone) and whether it answers and is used in that role."""
        found = []
        for name, node in self._probing.nodes.items():
            master = node is self._probing.master
            used = node.seen.answered if master else node.follower.usable
            zone = zone_of(self._rules.zones, node.address.host, node.seen.zone)
            found.append(((name, "master" if master else "replica", zone), int(used)))
        return found

    def lags(self) -> list[tuple[tuple[str], int]]:
        """Return by how many bytes each replica is behind."""
        return [((n.seen.name,), n.lag.bytes) for n in self._replicas()]

    def offsets(self) -> list[tuple[tuple[str], int]]:
        """Return how far each server that answers has come in the master's history."""
        return [((n.seen.name,), n.seen.offset) for n in self._probing.nodes.values() if n.seen.answered]

    def late(self) -> list[tuple[tuple[str], float]]:
        """Return for how many seconds each replica has been behind."""
        return [((n.seen.name,), n.lag.seconds) for n in self._replicas()]

    def ejected(self) -> list[tuple[tuple[str, str], int]]:
        """Return (server, reason) and 1 for each replica that takes no reads."""
        master = self._probing.master
        others = (n for n in self._probing.nodes.values() if n is not master and n.why)
        return [((n.seen.name, reason(n.why)), 1) for n in others]

    def changes(self) -> list[tuple[tuple[str], int]]:
        """Return how often each server has changed its role."""
        return [((name,), node.changes) for name, node in self._probing.nodes.items()]

    def _replicas(self) -> list[Node]:
        master = self._probing.master
        return [node for node in self._probing.nodes.values() if node is not master] if master else []
