"""A scrape in slices: between them the event loop does what it is there for.

The encoders of prometheus-client take some 6 µs a sample, and a service that counts by command has thousands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

_SLICE = 200  # samples
_APART = ("_created", "_gsum", "_gcount")  # samples that encoders write last, under a head of their own
_EOF = b"# EOF\n"  # how an exposition in OpenMetrics ends

Encoder = Callable[..., bytes]


async def exposed(registry: CollectorRegistry, encode: Encoder) -> bytes:
    """Return what *encode* makes of *registry*, byte for byte; others run meanwhile.

    The samples of one metric are of one moment; those of two need not be.
    """
    pieces, ended = [], b""
    for metric in registry.collect():
        for number, part in enumerate(_parts(metric)):
            text = encode(_Single(part))
            if text.endswith(_EOF):
                text, ended = text.removesuffix(_EOF), _EOF
            pieces.append(_without_head(text) if number else text)
            await asyncio.sleep(0)
    return b"".join(pieces) + ended


class _Single(Collector):
    """A registry of one metric."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return [self._metric]


def _parts(metric: Metric) -> Iterator[Metric]:
    """Yield *metric* in parts of so many samples; at least one, since its head counts too."""
    if any(sample.name.endswith(_APART) for sample in metric.samples):
        yield metric
        return
    for first in range(0, max(len(metric.samples), 1), _SLICE):
        part = Metric(metric.name, metric.documentation, metric.type, metric.unit)
        part.samples = metric.samples[first : first + _SLICE]
        yield part


def _without_head(text: bytes) -> bytes:
    return b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(b"# "))
