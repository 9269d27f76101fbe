"""Engines whose native rules look at each StatsD line, and what they show."""

from __future__ import annotations

from podmates_metrics.exposition import text
from podmates_metrics.exposition.negotiation import Format
from podmates_metrics.exposition.page import page
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.ruled import Ruled
from podmates_metrics.statsd.store import Store
from tests.unit.metrics.engines import samples, twin
from tests.unit.metrics.native_rules import EVENTS, ruleset


def engine(rules: str, which: str = "pure") -> Engine:
    """Return an engine with native rules; what no rule takes is shown, sets are taken."""
    made, module = ruleset(EVENTS + f"rules:\n- {rules}", expose=True), twin(which)
    return Engine(module, Ruled(made, "app"), Styles(extended=True), store=Store(module.Cell))


def fed(subject: Engine, *lines: str) -> dict[str, float]:
    subject.feed("\n".join(lines).encode(), 0.0)
    return samples(subject)


def openmetrics(subject: Engine) -> str:
    stored = list(subject.store.families.values())
    numbers = getattr(subject.twin, "numbers", text.numbers)
    return b"".join(page(Format.OPENMETRICS, stored, {}, {}, numbers=numbers)).decode()
