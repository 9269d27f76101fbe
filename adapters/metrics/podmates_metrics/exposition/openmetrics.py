"""OpenMetrics 1.0: the text format's samples under stricter heads.

A series has the same name and labels as in the text format, since a query must not depend on what was
negotiated. So a counter is a counter here only if its name ends with ``_total``, and an info only if it ends
with ``_info``; anything that the standard has no place for is of type ``unknown``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from podmates_metrics.exposition import names
from podmates_metrics.exposition.text import Dialect
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd.store import StoredFamily

END = "# EOF\n"
_UNKNOWN = "unknown"
_SUFFIXES = {"counter": "_total", "info": "_info"}  # what a series' name has beyond the family's
_WITHOUT_UNIT = ("info", "stateset")
_WITH_EXEMPLARS = ("counter", "histogram")


def dialect(stored: Iterable[StoredFamily], others: Iterable[Family]) -> Dialect:
    """Return how families are written, the names of all of which are given here: none may clash."""
    kept = [family for family in stored if family.series]
    kinds = {family.name: family.kind for family in kept}
    units = {family.name: family.unit for family in kept if family.unit}
    for family in others:
        kind = family.kind if _fits(family) else _UNKNOWN
        kinds[family.name] = kind if kinds.get(family.name, kind) == kind else _UNKNOWN
    shown = _shown(kinds)

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
    return Dialect(head, exemplars, second=1)


def _shown(kinds: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return by series name what the head says: name and type."""
    bases = {name: name.removesuffix(_SUFFIXES.get(kind, "")) for name, kind in kinds.items()}
    claims = Counter(base for name, base in bases.items() if base != name)
    shown = {}
    for name, kind in kinds.items():
        base = bases[name]
        # The standard gives `base` with each suffix to the family, so nobody else may be called so.
        clash = base in kinds or claims[base] > 1 or f"{base}_created" in kinds
        if kind in _SUFFIXES and (base in ("", name) or clash):
            shown[name] = (name, _UNKNOWN)
        else:
            shown[name] = (base, _UNKNOWN if kind == "untyped" else kind)
    return shown


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
    return True
