"""The text format 0.0.4, written by ourselves: some ten times cheaper than through objects per sample.

Families are yielded in pieces, so that a scrape of a hundred thousand series never holds up the receivers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from podmates_metrics.golang import format_float
from podmates_metrics.sources.base import Family, Labels
from podmates_metrics.statsd.store import Series, StoredFamily

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
PIECE = 1000  # series rendered in one go: about a millisecond
_TYPES = {"info": "gauge", "stateset": "gauge"}  # kinds that this format does not know
_HELP = str.maketrans({"\\": "\\\\", "\n": "\\n"})
_VALUE = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


def head(name: str, kind: str, help: str) -> str:
    """Return the two comment lines of a family."""
    return f"# HELP {name} {help.translate(_HELP)}\n# TYPE {name} {kind}\n"


def label_text(labels: Labels) -> str:
    """Return ``a="b",c="d"`` without braces; empty for no labels."""
    return ",".join([f'{name}="{value.translate(_VALUE)}"' for name, value in labels])


def stored(family: StoredFamily) -> Iterator[str]:
    """Yield the text of a StatsD family in pieces; nothing when it has no series."""
    series = family.ordered()
    if not series:
        return
    write = {"histogram": _histogram, "summary": _summary}.get(family.kind, _number)
    text = head(family.name, family.kind, family.help)
    for start in range(0, len(series), PIECE):
        yield text + "".join([write(family, one) for one in series[start : start + PIECE]])
        text = ""


def given(family: Family) -> str:
    """Return the text of a source's family."""
    lines = [head(family.name, _TYPES.get(family.kind, family.kind), family.help)]
    for sample in family.samples:
        text = label_text(sample.labels)
        braced = f"{{{text}}}" if text else ""
        lines.append(f"{family.name}{sample.suffix}{braced} {format_float(sample.value)}\n")
    return "".join(lines)


def merged(families: Iterable[StoredFamily], others: dict[str, Family]) -> Iterator[str]:
    """Yield everything by name: StatsD's families, and *others* from the sources.

    A name that both have is StatsD's, and what the source adds to it comes after, if the kinds agree and
    the label set is not there yet: one exposition must not tell two values for one series.
    """
    mine = {family.name: family for family in families if family.series}
    for name in sorted(mine.keys() | others.keys()):
        family, other = mine.get(name), others.get(name)
        if family is not None:
            yield from stored(family)
            if other is not None and other.kind == family.kind in ("counter", "gauge"):
                fresh = [s for s in other.samples if s.labels not in family.series]
                text = given(Family(name, other.kind, "", fresh))
                yield text.split("\n", 2)[2]
        elif other is not None:
            yield given(other)


def _labels(series: Series) -> str:
    if not series.text and series.labels:
        series.text = label_text(series.labels)
    return series.text


def _number(family: StoredFamily, series: Series) -> str:
    if not series.text:
        text = label_text(series.labels)
        series.text = f"{family.name}{{{text}}}" if text else family.name
    return f"{series.text} {format_float(series.cell.value)}\n"


def _histogram(family: StoredFamily, series: Series) -> str:
    labels, cell, name = _labels(series), series.cell, family.name
    comma = f"{labels}," if labels else ""
    lines, passed = [], 0
    counts = cell.counts()
    for bound, count in zip(cell.bounds, counts, strict=False):
        passed += count
        lines.append(f'{name}_bucket{{{comma}le="{format_float(bound)}"}} {format_float(passed)}\n')
    lines.append(f'{name}_bucket{{{comma}le="+Inf"}} {format_float(cell.count)}\n')
    return "".join(lines) + _totals(name, labels, series)


def _summary(family: StoredFamily, series: Series) -> str:
    labels, window, name = _labels(series), series.cell.window, family.name
    comma = f"{labels}," if labels else ""
    values = window.quantiles(family.quantiles) if window is not None else []
    lines = [
        f'{name}{{{comma}quantile="{format_float(quantile)}"}} {format_float(value)}\n'
        for quantile, value in zip(family.quantiles, values, strict=False)
    ]
    return "".join(lines) + _totals(name, labels, series)


def _totals(name: str, labels: str, series: Series) -> str:
    braced = f"{{{labels}}}" if labels else ""
    cell = series.cell
    return f"{name}_sum{braced} {format_float(cell.value)}\n{name}_count{braced} {format_float(cell.count)}\n"
