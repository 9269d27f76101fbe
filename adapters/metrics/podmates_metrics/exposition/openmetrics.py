"""OpenMetrics 1.0: the text format's samples under stricter heads.

A series has the same name and labels as in the text format, since a query must not depend on what was
negotiated. So a counter is a counter here only if its name ends with ``_total``, and an info only if it ends
with ``_info``; anything that the standard has no place for is of type ``unknown``. A histogram or a summary
whose sum is none of a counter (it falls with negative observations) is one such family for each of its parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, groupby

from podmates_metrics.exposition import names
from podmates_metrics.exposition.text import Dialect
from podmates_metrics.sources.base import Family, Labels, Sample
from podmates_metrics.sources.clashes import PARTS
from podmates_metrics.statsd.store import StoredFamily

END = "# EOF\n"
_UNKNOWN = "unknown"
_SUFFIXES = {"counter": "_total", "info": "_info"}  # what a series' name has beyond the family's
_COUNTED = ("counter", *PARTS)
_CREATED = "_created"  # what the standard gives to each of these, too
_MARKS = {"histogram": ("_bucket", "le"), "summary": ("", "quantile")}  # suffix and label of each of many
_WITHOUT_UNIT = ("info", "stateset")
_WITH_EXEMPLARS = ("counter", "histogram")


def dialect(stored: Iterable[StoredFamily], others: Iterable[Family]) -> Dialect:
    """Return how families are written, the names of all of which are given here: none may clash."""
    kept = [family for family in stored if family.series]
    kinds = {family.name: family.kind if _holds(family) else _UNKNOWN for family in kept}
    observers = {family.name: family.kind for family in kept if family.kind in PARTS}
    units = {family.name: family.unit for family in kept if family.unit}
    for family in others:
        kind = family.kind if _fits(family) else _UNKNOWN
        if family.kind in PARTS and family.name not in kinds:
            observers[family.name] = family.kind
        kinds[family.name] = kind if kinds.get(family.name, kind) == kind else _UNKNOWN
    shown = _shown(kinds, observers)

    def head(name: str, kind: str, help: str, unit: str) -> str:
        family, type = shown.get(name, (name, _UNKNOWN))
        told = names.shown(family)
        lines = [f"# TYPE {told} {type}\n"]
        unit = unit or units.get(name, "")
        if unit and type not in _WITHOUT_UNIT and family.endswith(f"_{unit}"):
            lines.append(f"# UNIT {told} {unit}\n")
        if help:
            lines.append(f"# HELP {told} {help.translate(names.ESCAPES)}\n")
        return "".join(lines)

    exemplars = frozenset(name for name, (_, type) in shown.items() if type in _WITH_EXEMPLARS)
    parted = frozenset(name for name in observers if shown[name][1] == _UNKNOWN)
    return Dialect(head, exemplars, parted=parted, second=1)


def _shown(kinds: Mapping[str, str], observers: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return by series name what the head says: name and type."""
    own = {*kinds, *(name + part for name, kind in observers.items() for part in PARTS[kind])}
    bases = {name: name.removesuffix(_SUFFIXES.get(kind, "")) for name, kind in kinds.items()}
    claims = Counter(base for name, base in bases.items() if base != name)
    created = {name.removesuffix(_CREATED) for name in chain(own, claims) if name.endswith(_CREATED)}
    shown = {}
    for name, kind in kinds.items():
        base = bases[name]
        # The standard gives `base` with each suffix to the family, so nobody else may be called so.
        if kind in _SUFFIXES:
            clash = base in ("", name) or base in own or claims[base] > 1 or base in created
        else:
            clash = kind in PARTS and base in created
        if clash:
            shown[name] = (name, _UNKNOWN)
        else:
            shown[name] = (base, _UNKNOWN if kind == "untyped" else kind)
    return shown


def _holds(family: StoredFamily) -> bool:
    """Tell whether the values of StatsD's *family* are such as the standard allows for its kind."""
    if family.kind not in _COUNTED:
        return True  # an info's and a stateset's are made here
    for series in family.series.values():
        if not series.cell.value >= 0:  # nor is NaN
            return False
    if family.kind == "counter":
        return True
    cells = [series.cell for series in family.series.values()]
    below = any(cell.window is not None and cell.window.below(0.0) for cell in cells)
    return not below and not any(cell.bounds and cell.bounds[0] < 0 for cell in cells)


def _fits(family: Family) -> bool:
    """Tell whether the values are such as the standard allows for the kind."""
    if family.kind == "counter":
        return all(sample.value >= 0 for sample in family.samples)
    if family.kind == "info":
        return all(sample.value == 1 for sample in family.samples)
    if family.kind == "stateset":
        return all(
            sample.value in (0, 1) and any(label == family.name for label, _ in sample.labels)
            for sample in family.samples
        )
    return family.kind not in PARTS or _is_whole(family)


def _is_whole(family: Family) -> bool:
    """Tell whether every histogram or summary has all of its parts, together and in their order."""
    mark, label = _MARKS[family.kind]
    seen: set[tuple[Labels, float | None]] = set()

    def group(sample: Sample) -> tuple[Labels, float | None]:
        labels = sample.labels
        if sample.suffix == mark:
            labels = tuple([pair for pair in labels if pair[0] != label])
        return labels, sample.timestamp

    for key, samples in groupby(family.samples, key=group):
        told = list(samples)
        marked = [(dict(s.labels).get(label, ""), s.value) for s in told if s.suffix == mark]
        totals = {sample.suffix: sample.value for sample in told if sample.suffix != mark}
        if key in seen or not _is_point(
            family.kind, marked, totals.get("_sum", -1), totals.get("_count", -1)
        ):
            return False
        seen.add(key)
    return True


def _is_point(kind: str, marked: list[tuple[str, float]], sum: float, count: float) -> bool:
    """Tell whether these are a histogram's buckets or a summary's quantiles, with a sum and a count."""
    try:
        bounds = [float(text) for text, _ in marked]
    except ValueError:
        return False
    if not sum >= 0 or not (count >= 0 and count.is_integer()):
        return False
    if kind == "summary":
        return not any(value < 0 for _, value in marked)
    counts = [value for _, value in marked]
    rising = bounds == sorted({*bounds}) and counts == sorted(counts)
    whole = all(value.is_integer() for value in counts) and counts[-1:] == [count]
    return rising and whole and marked[-1][0] == "+Inf" and bounds[0] >= 0 <= counts[0]
