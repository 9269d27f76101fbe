"""StatsD lines tried: through the real engine."""

from __future__ import annotations

from collections.abc import Callable

from podmates_metrics.exposition.text import merged
from podmates_metrics.metrics import RESERVED
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.statsd import hot
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.mapping import Mapping
from podmates_metrics.statsd.ruled import Ruled
from podmates_metrics.statsd.store import Store
from podmates_metrics.trial.witness import Witness

_FAULTS = ("sample_errors_total", "events_error_total", "events_conflict_total")  # of statsd_exporter_


def lines(rules: Ruleset, sample: bytes, witness: Witness) -> tuple[str, list[str]]:
    """Return the page that *sample* makes, and what was wrong with lines, as lines for a person."""
    ruled = Ruled(rules, rules.prefix)
    ruled.witness = witness
    engine = _fed(ruled, sample, Styles(extended=True), witness.check)  # as a native source takes them
    return _page(engine), _problems(engine)


def mapped(mapping: Mapping, sample: bytes, check: Callable[[], None]) -> tuple[str, list[str], list[str]]:
    """Return the page that *sample* makes by a mapping file, notes, and what was wrong with lines.

    *check* is called for each line.
    """
    engine = _fed(Mapper(mapping), sample, Styles(), check)
    totals = engine.totals()
    counts = {label: n for (label,), n in totals["statsd_exporter_events_actions_total"].items()}
    counts["unmapped"] = totals["statsd_exporter_events_unmapped_total"][()]
    notes = [f"{what}: {count:g} events" for what, count in sorted(counts.items()) if count]
    return _page(engine), notes, _problems(engine)


def _fed(mapper: Mapper, sample: bytes, styles: Styles, check: Callable[[], None]) -> Engine:
    engine = Engine(hot, mapper, styles, store=Store(hot.Cell, reserved=RESERVED))
    for line in sample.replace(b"\r\n", b"\n").split(b"\n"):
        if line:
            check()
            engine.feed(line, 0.0)
            engine.use(mapper)  # forget it: the next one is looked at again, for the witness
    return engine


def _problems(engine: Engine) -> list[str]:
    totals = engine.totals()
    return [
        f"{'/'.join(labels)}: {count:g} of the lines"
        for name in _FAULTS
        for labels, count in totals[f"statsd_exporter_{name}"].items()
    ]


def _page(engine: Engine) -> str:
    return "".join(merged(list(engine.store.families.values()), {}))
