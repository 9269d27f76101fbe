"""`/metrics` as Go's client writes it: names as they are, whole numbers without a fraction, format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from podmates_gitsync.govalues import quote, show_number
from podmates_gitsync.metrics import DURATION, METRICS, Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Counts(Collector):
    """Our counts, and those of the process, as families.

    Args:
        repositories: name → counts; the name is a label, except the empty one of a single repository.
    """

    def __init__(self, repositories: Mapping[str, Metrics]) -> None:
        self._repositories = {
            tuple({"repo": name}.items() if name else ()): counts for name, counts in repositories.items()
        }
        self._process = ProcessCollector(registry=CollectorRegistry())

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            # A counter family of the library would insist on its own suffix.
            family = Family(metric.name, metric.help, "unknown")
            family.type = metric.kind
            for front, counts in self._repositories.items():
                for labels, value in counts.values(metric).items():
                    named = dict([*front, *zip(metric.labels, labels, strict=True)])
                    if metric is DURATION:
                        family.add_sample(f"{DURATION.name}_sum", named, value)
                        family.add_sample(f"{DURATION.name}_count", named, counts.numbers()[labels])
                    else:
                        family.add_sample(metric.name, named, value)
            yield family
        yield from self._process.collect()


def render(collector: Collector) -> str:
    """Return the text of every family that has a series, in the order of their names."""
    lines: list[str] = []
    for family in sorted(collector.collect(), key=lambda family: family.name):
        if not family.samples:
            continue
        name = family.samples[0].name if family.type in {"counter", "gauge"} else family.name
        lines += [f"# HELP {name} {family.documentation}", f"# TYPE {name} {family.type}"]
        for sample in family.samples:
            labels = ",".join(f"{key}={quote(value)}" for key, value in sample.labels.items())
            lines.append(f"{sample.name}{'{' + labels + '}' if labels else ''} {show_number(sample.value)}")
    return "\n".join(lines) + "\n"
