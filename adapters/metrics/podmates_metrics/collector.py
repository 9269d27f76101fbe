"""Self metrics into a prometheus-client registry: values are read when a scrape asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from podmates_metrics.metrics import METRICS
from podmates_metrics.statsd.engine import Totals

Family = CounterMetricFamily | GaugeMetricFamily


class SelfMetrics(Collector):
    """Everything in `METRICS`, from those who know the values."""

    def __init__(self, providers: Sequence[Callable[[], Totals]]) -> None:
        self._providers = providers

    def collect(self) -> Iterable[Metric]:
        totals: Totals = {}
        for provider in self._providers:
            totals |= provider()
        for metric in METRICS:
            values = totals.get(metric.name, {} if metric.labels or metric.optional else {(): 0})
            if not values:
                continue
            make: type[Family] = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = make(metric.name, metric.help, labels=metric.labels)
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family


class Own:
    """The self metrics and the process' own, as text."""

    def __init__(self, providers: Sequence[Callable[[], Totals]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(SelfMetrics(providers))
        ProcessCollector(registry=self._registry)

    def text(self, taken: Collection[str] = ()) -> bytes:
        """Return the text format 0.0.4, without the families *taken*: a JVM brings process_* of its own."""
        return generate_latest(_Without(self._registry, taken))


class _Without:
    """A registry without some families."""

    def __init__(self, registry: CollectorRegistry, taken: Collection[str]) -> None:
        self._registry, self._taken = registry, taken

    def collect(self) -> Iterable[Metric]:
        for family in self._registry.collect():
            name = family.name + ("_total" if family.type == "counter" else "")
            if name not in self._taken and family.name not in self._taken:
                yield family
