"""The metrics, declared once; they are read from the process when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric of ours."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


METRICS = (
    Declared(
        "redis_ambassador_commands_total",
        "counter",
        ("command", "route", "outcome"),
        "commands answered; route is master, replica, local or denied, outcome ok or error",
    ),
    Declared(
        "redis_ambassador_reads_total",
        "counter",
        ("route", "reason", "node"),
        "reads answered; for those at the master the reason why no replica could answer",
    ),
    Declared(
        "redis_ambassador_retries_total",
        "counter",
        ("cause",),
        "reads that a replica answered with an error, by its first word, and that the master answered then",
    ),
    Declared("redis_ambassador_failovers_total", "counter", (), "times another server became the master"),
    Declared(
        "redis_ambassador_clients",
        "gauge",
        ("state",),
        "clients connected, and of them those blocked or subscribed",
    ),
    Declared("redis_ambassador_clients_total", "counter", (), "clients that have connected"),
    Declared(
        "redis_ambassador_clients_rejected_total", "counter", (), "clients refused because of max_clients"
    ),
    Declared(
        "redis_ambassador_protocol_errors_total",
        "counter",
        (),
        "clients closed because what they sent is not RESP",
    ),
    Declared(
        "redis_ambassador_upstream_up",
        "gauge",
        ("node", "role"),
        "1 if the server answers and is used in its role",
    ),
    Declared(
        "redis_ambassador_upstream_lag_bytes",
        "gauge",
        ("node",),
        "bytes a replica was behind its master when last asked",
    ),
    Declared("redis_ambassador_upstream_clients", "gauge", ("node",), "clients that read at a replica"),
)

Value = tuple[tuple[str, ...], float]


class Reader(Collector):
    """Collects what *sources* give: metric name → function returning (label values, value) pairs."""

    def __init__(self, sources: Mapping[str, Callable[[], Iterable[Value]]]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        for declared in METRICS:
            family = CounterMetricFamily if declared.kind == "counter" else GaugeMetricFamily
            metric = family(declared.name, declared.help, labels=declared.labels)
            for labels, value in self._sources[declared.name]():
                metric.add_metric(labels, value)
            yield metric


def registry(sources: Mapping[str, Callable[[], Iterable[Value]]]) -> CollectorRegistry:
    """Return a registry of our metrics and the process's own."""
    from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR

    found = CollectorRegistry()
    for collector in (Reader(sources), PROCESS_COLLECTOR, GC_COLLECTOR, PLATFORM_COLLECTOR):
        found.register(collector)
    return found
