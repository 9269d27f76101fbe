"""StatsD lines tried: through the real engine."""

from __future__ import annotations

from podmates_metrics.exposition.text import merged
from podmates_metrics.metrics import RESERVED
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.statsd import hot
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.ruled import Ruled
from podmates_metrics.statsd.store import Store
from podmates_metrics.trial.witness import Witness

_FAULTS = ("sample_errors_total", "events_error_total", "events_conflict_total")  # of statsd_exporter_


def lines(rules: Ruleset, sample: bytes, witness: Witness) -> tuple[str, list[str]]:
    """Return the page that *sample* makes, and what was wrong with lines, as lines for a person."""
    ruled = Ruled(rules, rules.prefix)
    ruled.witness = witness
    engine = Engine(hot, ruled, Styles(), store=Store(hot.Cell, reserved=RESERVED))
    for line in sample.replace(b"\r\n", b"\n").split(b"\n"):
        if line:
            engine.feed(line, 0.0)
            engine.use(ruled)  # forget it: the next one is looked at again, for the witness
    totals = engine.totals()
    problems = [
        f"{'/'.join(labels)}: {count:g} of the lines"
        for name in _FAULTS
        for labels, count in totals[f"statsd_exporter_{name}"].items()
    ]
    return "".join(merged(list(engine.store.families.values()), {})), problems
