"""Which families may stand on one page, and what becomes of one that several sources give.

A summary `t` exposes `t_sum` and `t_count`, so nobody else may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from podmates_metrics.rules.limits import OVERFLOW, SUMMED
from podmates_metrics.sources.base import Family, Sample

_OWN_LABELS = ("le", "quantile")
PARTS = {"summary": ("_sum", "_count"), "histogram": ("_sum", "_count", "_bucket")}


def clashes(name: str, kind: str, known: Callable[[str], str]) -> bool:
    """Tell whether a family exposes a name that a family of another name exposes as well.

    Args:
        known: the kind of the family of a name; empty: there is none.
    """
    if any(known(name + part) for part in PARTS.get(kind, ())):
        return True
    return any(
        part in PARTS.get(known(name.removesuffix(part)), ())
        for part in PARTS["histogram"]
        if name.endswith(part)
    )


def joined(first: Family, more: Family) -> tuple[Family, list[Sample]]:
    """Return a new family with the samples of both, of one series those of *first*; and which it has not.

    But what was beyond a source's limits adds up, or a sum over the family would lack that of *more*.
    """
    places = {(sample.suffix, sample.labels): place for place, sample in enumerate(first.samples)}
    samples, native = list(first.samples), more.native | first.native
    lost = []
    for sample in more.samples:
        place = places.get((sample.suffix, sample.labels))
        if place is None:
            samples.append(sample)
        elif first.kind in SUMMED and _beyond(sample):
            samples[place] = replace(samples[place], value=samples[place].value + sample.value)
            native.pop(sample.labels, None)  # it would tell of one of them only
        else:
            lost.append(sample)
    return replace(first, samples=samples, native=native), lost


def _beyond(sample: Sample) -> bool:
    """Tell whether *sample* is part of an overflow series; a quantile is one that cannot be added."""
    labels = dict(sample.labels)
    values = {value for label, value in labels.items() if label not in _OWN_LABELS}
    return values == {OVERFLOW} and "quantile" not in labels
