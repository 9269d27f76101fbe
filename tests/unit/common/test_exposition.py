"""A scrape in slices says what one in a piece says."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from podmates_common.exposition import exposed

FORMS = ("", "application/openmetrics-text; version=1.0.0")


class Computed(Collector):
    """Histograms without a time of creation, as services compute them."""

    def __init__(self, series: int) -> None:
        self._series = series

    def collect(self) -> list[Metric]:
        metric = HistogramMetricFamily("computed", "Computed.", labels=["name"])
        for number in range(self._series):
            metric.add_metric([f"a{number}"], [("1.0", number), ("+Inf", number)], number)
        return [metric]


def filled(series: int) -> CollectorRegistry:
    registry = CollectorRegistry()
    times = Histogram("times", "Times,\nin two lines.", ["name"], registry=registry)
    for number in range(series):
        times.labels(f'a"{number}').observe(number)
    registry.register(Computed(series * 10))
    Counter("things", "Things.", registry=registry).inc(3)
    Gauge("none", "A metric without a sample.", ["name"], registry=registry)
    return registry


@pytest.mark.parametrize("series", [0, 1, 12, 60])
@pytest.mark.parametrize("accepted", FORMS)
def test_it_is_byte_for_byte_what_the_encoder_makes(accepted: str, series: int) -> None:
    registry = filled(series)
    encode, _ = choose_encoder(accepted)

    assert asyncio.run(exposed(registry, encode)) == encode(registry)


def test_others_run_meanwhile() -> None:
    async def body() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        encode, _ = choose_encoder("")
        await exposed(filled(100), encode)
        task.cancel()
        return turns

    assert asyncio.run(body()) > 1000 * 4 / 200  # samples, in slices
