"""Self metrics into a prometheus-client registry: values are read when a scrape asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from podmates_metrics.metrics import METRICS
from podmates_metrics.metrics import Metric as OwnMetric
from podmates_metrics.sources.base import Family, Sample
from podmates_metrics.statsd.engine import Totals

_Made = CounterMetricFamily | GaugeMetricFamily


class SelfMetrics(Collector):
    """All of *metrics* that have a value, from those who know the values."""

    def __init__(
        self, providers: Sequence[Callable[[], Totals]], metrics: Sequence[OwnMetric] = METRICS
    ) -> None:
        self._providers, self._metrics = providers, metrics

    def collect(self) -> Iterable[Metric]:
        totals: Totals = {}
        for provider in self._providers:
            for name, values in provider().items():
                totals.setdefault(name, {}).update(values)
        yield from families(self._metrics, totals)


def families(metrics: Sequence[OwnMetric], totals: Totals) -> Iterable[Metric]:
    """Yield those of *metrics* that have a value."""
    for metric in metrics:
        values = totals.get(metric.name, {} if metric.labels or metric.optional else {(): 0})
        if not values:
            continue
        make: type[_Made] = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = make(metric.name, metric.help, labels=metric.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        yield family


class Own:
    """The self metrics and the process' own."""

    def __init__(self, providers: Sequence[Callable[[], Totals]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(SelfMetrics(providers))
        ProcessCollector(registry=self._registry)

    def families(self, taken: Collection[str] = ()) -> dict[str, Family]:
        """Return them by name, without those *taken*: a JVM brings process_* of its own."""
        found = [_family(metric) for metric in self._registry.collect()]
        return {family.name: family for family in found if family.name not in taken}


def _family(metric: Metric) -> Family:
    counter = metric.type == "counter"
    name = f"{metric.name}_total" if counter else metric.name
    samples = [Sample(tuple(sorted(one.labels.items())), one.value) for one in metric.samples]
    return Family(name, "counter" if counter else "gauge", metric.documentation, samples)
