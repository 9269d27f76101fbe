"""Where each metric comes from."""

from __future__ import annotations

import asyncio
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from podmates_common.version import VERSION
from podmates_redis.clients.commons import Commons
from podmates_redis.clients.listening import Doorman
from podmates_redis.cluster.cluster import Cluster
from podmates_redis.marks import Follower
from podmates_redis.metrics import Sources, Timed, Value
from podmates_redis.operating.census import Census, count
from podmates_redis.operating.finding import Finding
from podmates_redis.servers.dialing import Dialer
from podmates_redis.servers.pacing import Opener
from podmates_redis.servers.readers import Rules
from podmates_redis.servers.roll import Manner
from podmates_redis.servers.topology import Topology
from podmates_redis.servers.traffic import Traffic
from podmates_redis.session.shared import Shared
from podmates_redis.session.tally import Times

_PREFIX = "redis_ambassador_"
_TICK = 1.0  # seconds


@dataclass(slots=True)
class Parts:
    """What there are figures of."""

    shared: Shared
    topology: Topology | Cluster
    opener: Opener
    doorman: Doorman
    dialer: Dialer  # to servers
    sentinel_dialer: Dialer
    finding: Finding
    rules: Rules  # by which replicas are read
    manner: Manner
    commons: Commons | None = None


class Gathering:
    """The figures of *parts*; those of the clients as they were at the last `look`."""

    def __init__(self, parts: Parts, *, engine: str, reloads: Counter[str]) -> None:
        self.parts, self._engine, self._reloads = parts, engine, reloads
        self._census = Census()
        self._lag = Times()  # of the event loop
        self._ticking: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Measure by how much the event loop is late."""
        self._expect(asyncio.get_running_loop().time() + _TICK)

    def stop(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()

    def _expect(self, at: float) -> None:
        self._ticking = asyncio.get_running_loop().call_at(at, self._tick, at)

    def _tick(self, expected: float) -> None:
        now = asyncio.get_running_loop().time()
        self._lag.add(max(0.0, now - expected))
        self._expect(now + _TICK)

    async def look(self) -> None:
        """Look at the clients."""
        self.parts.shared.look()
        self._census = await count(self.parts.doorman.clients)
        if self.parts.commons is not None:
            self._census.share(self.parts.commons)

    def sources(self) -> Sources:
        """Return for each metric the function that tells its values."""
        parts = (self._commands(), self._clients(), self._servers(), self._upstreams(), self._process())
        return {_PREFIX + name: source for part in parts for name, source in part.items()}

    def _commands(self) -> Mapping[str, Any]:
        tally = self.parts.shared.tally
        return {
            "slowlog_entries_total": lambda: [((), self.parts.shared.slowlog.added)],
            "commands_total": lambda: list(tally.commands.items()),
            "command_duration_seconds": lambda: list(tally.durations.items()),
            "queue_duration_seconds": lambda: _by_name(tally.queued),
            "error_replies_total": lambda: _by_name(tally.errors),
            "reads_total": lambda: list(tally.reads.items()),
            "retries_total": lambda: _by_name(tally.retries),
        }

    def _clients(self) -> Mapping[str, Any]:
        tally, doorman = self.parts.shared.tally, self.parts.doorman
        return {
            "clients": lambda: _by_name(self._census.clients),
            "client_buffer_bytes": lambda: _by_name(self._census.buffers),
            "pending_commands": lambda: [((), self.parts.shared.crowd.pending)],
            "clients_memory_bytes": lambda: [((), self.parts.shared.ledger.held)],
            "clients_total": lambda: [((), doorman.accepted)],
            "clients_rejected_total": lambda: [((), doorman.rejected)],
            "clients_closed_total": lambda: _by_name(tally.closed),
            "protocol_errors_total": lambda: [((), tally.broken)],
        }

    def _servers(self) -> Mapping[str, Any]:
        topology, shared = self.parts.topology, self.parts.shared
        figures, absence = topology.figures, topology.report.absence
        return {
            "failovers_total": lambda: [((), sum(absence.gaps.counts))],
            "failover_duration_seconds": lambda: [((), absence.gaps)],
            "master_unknown_seconds_total": lambda: [((), absence.total(time.monotonic()))],
            "upstream_up": figures.roles,
            "upstream_ejected": figures.ejected,
            "upstream_role_changes_total": figures.changes,
            "upstream_lag_bytes": figures.lags,
            "upstream_lag_seconds": figures.late,
            "upstream_offset": figures.offsets,
            "upstream_clients": lambda: [((f.name,), f.readers) for f in self._followers()],
            "upstream_duration_seconds": lambda: _by_name(shared.tally.served),
            "sentinel_up": self._sentinels,
        }

    def _followers(self) -> list[Follower]:
        topology = self.parts.topology
        return topology.followers() if isinstance(topology, Cluster) else self.parts.shared.followers

    def _upstreams(self) -> Mapping[str, Any]:
        parts = self.parts
        return {
            "upstream_connections": self._connections,
            "upstream_in_flight": lambda: self._by_node(lambda name, _: self._census.waiting[name]),
            "upstream_sent_bytes_total": lambda: self._by_node(lambda _, traffic: traffic.sent),
            "upstream_received_bytes_total": lambda: self._by_node(lambda _, traffic: traffic.received),
            "upstream_connects_total": lambda: self._by_node(lambda _, traffic: traffic.made),
            "upstream_connect_failures_total": self._failures,
            "upstream_failures": lambda: _by_name(parts.opener.failures()),
            "upstream_connect_waits_total": lambda: self._by_node(lambda _, traffic: traffic.waits),
            "upstream_connect_wait_seconds_total": lambda: self._by_node(lambda _, traffic: traffic.waited),
            "upstream_tls_failures_total": lambda: [
                item for way in (parts.dialer, parts.sentinel_dialer) for item in way.failures.items()
            ],
        }

    def _process(self) -> Mapping[str, Any]:
        build = (VERSION, self._engine, platform.python_version())
        return {
            "faults_total": lambda: [((), self.parts.shared.tally.faults)],
            "reloads_total": lambda: _by_name(self._reloads),
            "loop_lag_seconds": lambda: [((), self._lag)],
            "build_info": lambda: [(build, 1)],
        }

    def _sentinels(self) -> Iterable[Value]:
        sentinels = self.parts.finding.sentinels
        return sentinels.up() if sentinels else ()

    def _by_node(self, value: Callable[[str, Traffic], float]) -> list[Value]:
        return [((name,), value(name, traffic)) for name, traffic in self.parts.dialer.traffic.items()]

    def _connections(self) -> list[Value]:
        found: list[Value] = []
        for name, traffic in self.parts.dialer.traffic.items():
            standing = traffic.standing + self._census.standing[name]
            busy = min(self._census.busy[name], standing)
            found += [((name, "busy"), busy), ((name, "idle"), standing - busy)]
        return found

    def _failures(self) -> list[Value]:
        traffic = self.parts.dialer.traffic
        return [((name, cause), n) for name, known in traffic.items() for cause, n in known.failed.items()]


def _by_name(counted: Mapping[str, Any]) -> Iterable[Value] | Iterable[Timed]:
    return [((name,), number) for name, number in counted.items()]
