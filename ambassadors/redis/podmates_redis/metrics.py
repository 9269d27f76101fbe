"""The metrics, declared once; they are read from the process when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from podmates_redis.session.tally import BOUNDS, Times

Value = tuple[tuple[str, ...], float]
Timed = tuple[tuple[str, ...], Times]
Sources = Mapping[str, Callable[[], Iterable[Any]]]  # of Value, and of Timed for a histogram


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric of ours."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


# name without our prefix, kind, labels, meaning
_COMMANDS = (
    (
        "commands_total",
        "counter",
        "command route outcome",
        "commands answered; route is master, replica, local or denied, outcome ok or error; other stands for "
        "every unknown command",
    ),
    (
        "command_duration_seconds",
        "histogram",
        "command route",
        "from a command's arrival to its reply's turn, a wait that it asks for included",
    ),
    (
        "queue_duration_seconds",
        "histogram",
        "route",
        "of that, what commands spent here before they were sent: for a connection, a master, earlier ones",
    ),
    (
        "error_replies_total",
        "counter",
        "error",
        "replies that were errors, by their first word; odd ones are other",
    ),
    (
        "reads_total",
        "counter",
        "route reason node",
        "reads answered; for those at the master the reason why no replica could answer",
    ),
    (
        "retries_total",
        "counter",
        "cause",
        "reads that a replica answered with an error, by its first word, and that the master answered then",
    ),
)
_SLOW = (("slowlog_entries_total", "counter", "", "commands that took longer than --slowlog-slower-than"),)
_CLIENTS = (
    (
        "clients",
        "gauge",
        "state",
        "clients connected, and of them those that are blocked, subscribed, in a transaction or watching, "
        "a monitor, tracking, or have connections of their own",
    ),
    (
        "client_buffer_bytes",
        "gauge",
        "buffer",
        "bytes held for clients: requests that wait, replies that wait for an earlier one, output not taken",
    ),
    ("pending_commands", "gauge", "", "commands that wait for a connection to a server"),
    ("clients_memory_bytes", "gauge", "", "memory that requests and replies of clients take, by estimate"),
    ("clients_total", "counter", "", "clients that have connected"),
    ("clients_rejected_total", "counter", "", "clients refused: max_clients, max_memory, descriptors"),
    (
        "clients_closed_total",
        "counter",
        "reason",
        "clients gone: left, quit, idle, killed, protocol, memory (its share), upstream (lost), drain, "
        "fault (an error of ours)",
    ),
    ("protocol_errors_total", "counter", "", "clients closed because what they sent is not RESP"),
)
_UPSTREAMS = (
    ("failovers_total", "counter", "", "times another server became the master"),
    (
        "failover_duration_seconds",
        "histogram",
        "",
        "how long there was no master before another one took over",
    ),
    ("master_unknown_seconds_total", "counter", "", "seconds without a master that answers"),
    ("upstream_up", "gauge", "node role zone", "1 if the server answers and is used in its role"),
    (
        "upstream_ejected",
        "gauge",
        "node reason",
        "1 for a replica that takes no reads: lag, link, loading, history, failures (of connections), panic "
        "(--min-healthy), no_master (--stale-ok), operator, down",
    ),
    ("upstream_role_changes_total", "counter", "node", "times a server changed its role"),
    ("upstream_lag_bytes", "gauge", "node", "bytes a replica was behind its master when last asked"),
    (
        "upstream_lag_seconds",
        "gauge",
        "node",
        "seconds since the master was where a replica was when last asked",
    ),
    ("upstream_offset", "gauge", "node", "bytes of the master's history that a server had when last asked"),
    ("upstream_clients", "gauge", "node", "clients that read at a replica"),
    (
        "upstream_connections",
        "gauge",
        "node state",
        "connections of clients to a server: busy with a request, or idle",
    ),
    ("upstream_in_flight", "gauge", "node", "requests that a server has not answered"),
    ("upstream_duration_seconds", "histogram", "node", "from sending a command to having its whole reply"),
    ("upstream_sent_bytes_total", "counter", "node", "bytes sent on such connections"),
    ("upstream_received_bytes_total", "counter", "node", "bytes received on them"),
    ("upstream_connects_total", "counter", "node", "such connections that were made"),
    (
        "upstream_connect_failures_total",
        "counter",
        "node cause",
        "such connections that were not made: network, timeout, refused (by the server's words), role "
        "(unlike what it was taken for)",
    ),
    (
        "upstream_failures",
        "gauge",
        "node",
        "how many of them failed in a row: others wait for a first to succeed",
    ),
    ("upstream_connect_waits_total", "counter", "node", "such connections that had to wait for their turn"),
    ("upstream_connect_wait_seconds_total", "counter", "node", "how long they waited, all together"),
    (
        "upstream_tls_failures_total",
        "counter",
        "node cause",
        "TLS handshakes with a server or sentinel that failed, by cause: expired, not_yet_valid, name, "
        "unknown_ca, certificate, refused (our certificate), not_tls, protocol, closed (without a word)",
    ),
    ("sentinel_up", "gauge", "node", "1 if the sentinel answers"),
)
_PROCESS = (
    (
        "faults_total",
        "counter",
        "",
        "errors that nobody foresaw; whom they concern is closed, and the log says where they come from",
    ),
    ("reloads_total", "counter", "outcome", "times the settings were read again: success, or failure"),
    ("loop_lag_seconds", "histogram", "", "by how much a timer of one second was late"),
    ("build_info", "gauge", "version engine python", "1, for the version that runs"),
)

METRICS = tuple(
    Declared(f"redis_ambassador_{name}", kind, tuple(labels.split()), help)
    for name, kind, labels, help in (*_COMMANDS, *_SLOW, *_CLIENTS, *_UPSTREAMS, *_PROCESS)
)


class Reader(Collector):
    """Collects what *sources* give: metric name → function returning (label values, value) pairs."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        for declared in METRICS:
            found = list(self._sources[declared.name]())
            yield _histogram(declared, found) if declared.kind == "histogram" else _plain(declared, found)


def _plain(declared: Declared, found: Iterable[Value]) -> Metric:
    family = CounterMetricFamily if declared.kind == "counter" else GaugeMetricFamily
    metric = family(declared.name, declared.help, labels=declared.labels)
    for labels, value in found:
        metric.add_metric(labels, value)
    return metric


def _histogram(declared: Declared, found: Iterable[Timed]) -> Metric:
    metric = HistogramMetricFamily(declared.name, declared.help, labels=declared.labels)
    names = [*map(str, BOUNDS), "+Inf"]
    for labels, times in found:
        metric.add_metric(labels, list(zip(names, accumulate(times.counts), strict=True)), times.total)
    return metric


def registry(sources: Sources) -> CollectorRegistry:
    """Return a registry of our metrics and the process's own."""
    from prometheus_client.gc_collector import GC_COLLECTOR
    from prometheus_client.platform_collector import PLATFORM_COLLECTOR
    from prometheus_client.process_collector import PROCESS_COLLECTOR

    found = CollectorRegistry()
    for collector in (Reader(sources), PROCESS_COLLECTOR, GC_COLLECTOR, PLATFORM_COLLECTOR):
        found.register(collector)
    return found
