"""What we assume of senders: the lines that the package ``statsd`` writes mean what its user meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import statsd

from tests.unit.metrics.engines import TWINS, engine, errors, samples

CALLS: dict[str, tuple[Callable[[Any], object], dict[str, Any]]] = {
    "incr": (lambda c: c.incr("a.b", 3), {"a_b": 3}),
    "decr is a negative counter, which Prometheus has not": (lambda c: c.decr("a"), {}),
    "gauge": (lambda c: c.gauge("g", 4.5), {"g": 4.5}),
    "gauge below zero goes by way of zero": (lambda c: c.gauge("g", -4), {"g": -4}),
    "gauge moved": (lambda c: (c.gauge("g", 10), c.gauge("g", -4, delta=True)), {"g": 6}),
    "timing in milliseconds": (lambda c: c.timing("t", 250), {"t_sum": 0.25, "t_count": 1}),
    "sampled": (lambda c: [c.incr("a", rate=0.9999999) for _ in range(10)], {"a": pytest.approx(10, abs=1)}),
}


class Recorder(statsd.StatsClient):  # type: ignore[misc]
    """A client that keeps its lines."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1", 1)
        self.close()
        self.lines: list[str] = []

    def _send(self, data: str) -> None:
        self.lines.append(data)


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("call", "wanted"), CALLS.values(), ids=CALLS.keys())
def test_a_call_of_the_statsd_package_means_what_it_says(
    which: str, call: Callable[[Any], object], wanted: dict[str, float]
) -> None:
    client, subject = Recorder(), engine(which)
    call(client)
    assert client.lines

    subject.feed("\n".join(client.lines).encode(), 0.0)

    found = {name: value for name, value in samples(subject).items() if "quantile" not in name}
    assert found == wanted
    assert set(errors(subject)) <= {"illegal_negative_counter"}


def test_sets_of_the_statsd_package_are_refused_as_the_original_does() -> None:
    client, subject = Recorder(), engine()
    client.set("users", "alice")
    client.set("users", 7)

    subject.feed("\n".join(client.lines).encode(), 0.0)

    assert samples(subject) == {}
    assert errors(subject) == {"malformed_value": 1, "illegal_event": 1}
