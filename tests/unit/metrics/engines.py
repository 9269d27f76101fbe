"""Engines to feed, and their page as a dictionary."""

from __future__ import annotations

import os
from types import ModuleType

from prometheus_client.parser import text_string_to_metric_families

from podmates_metrics.documents import parse
from podmates_metrics.exposition import text
from podmates_metrics.metrics import RESERVED
from podmates_metrics.statsd import hot, twins
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.mapping import decode
from podmates_metrics.statsd.store import Store

# Where there is no compiler there is one hot path to test, except where CI promises that there are two.
BUILT = twins.choose() is not hot
TWINS = ["pure", "compiled"] if BUILT or os.environ.get("REQUIRE_ALL") == "1" else ["pure"]


def twin(name: str) -> ModuleType:
    """Return a hot path by name."""
    assert BUILT or name == "pure", "the hot path is not compiled: it needs the package gcc at make setup"
    module: ModuleType = twins.choose(pure=name == "pure")
    return module


def engine(
    which: str = "pure",
    mapping: str = "",
    *,
    limit: int = 0,
    remembered: int = 1000,
    styles: Styles | None = None,
) -> Engine:
    """Return an engine with the mapping file *mapping*."""
    module = twin(which)
    store = Store(module.Cell, reserved=RESERVED, limit=limit)
    return Engine(
        module, Mapper(decode(parse(mapping))), styles or Styles(), store=store, remembered=remembered
    )


def page(subject: Engine) -> str:
    """Return what a scrape of *subject* gives, whichever writes it."""
    stored = list(subject.store.families.values())
    written = "".join(text.merged(stored, {}))
    numbers = getattr(subject.twin, "numbers", None)
    if numbers is not None:
        assert "".join(text.merged(stored, {}, numbers=numbers)) == written
    return written


def samples(subject: Engine) -> dict[str, float]:
    """Return the page as ``name{a="b"}`` → value; it is also shown to prometheus-client's parser."""
    shown = page(subject)
    assert list(text_string_to_metric_families(shown)) or not shown
    lines = [line.rpartition(" ") for line in shown.split("\n") if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def total(subject: Engine, name: str, *labels: str) -> float:
    """Return a self metric of *subject*, 0 when it has not appeared."""
    return subject.totals().get(name, {}).get(labels, 0)


def errors(subject: Engine) -> dict[str, float]:
    """Return every error counter that is not 0, by its reason."""
    totals = subject.totals()
    found: dict[str, float] = {}
    for name in ("sample_errors_total", "events_error_total", "events_conflict_total"):
        found |= {"/".join(labels): n for labels, n in totals[f"statsd_exporter_{name}"].items()}
    tags = totals["statsd_exporter_tag_errors_total"][()]
    return found | ({"tag": tags} if tags else {})
