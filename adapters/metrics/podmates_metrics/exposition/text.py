"""The text format 0.0.4, written by ourselves: some ten times cheaper than through objects per sample.

Families are yielded in pieces, so that a scrape of a hundred thousand series never holds up the receivers.
OpenMetrics differs in its heads and in what may stand behind a value; the samples are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from podmates_metrics.golang import format_float
from podmates_metrics.sources.base import Exemplar, Family, Labels, Sample
from podmates_metrics.statsd.store import Series, StoredFamily

PIECE = 1000  # series rendered in one go: about a millisecond
MAX_EXEMPLAR = 128  # characters of its labels, by OpenMetrics; a longer one is left out
_TYPES = {"info": "gauge", "stateset": "gauge"}  # kinds that this format does not know
_HELP = str.maketrans({"\\": "\\\\", "\n": "\\n"})
_VALUE = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


def head(name: str, kind: str, help: str, unit: str = "") -> str:
    """Return the two comment lines of a family; the format has no place for a unit."""
    return f"# HELP {name} {help.translate(_HELP)}\n# TYPE {name} {_TYPES.get(kind, kind)}\n"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What tells text formats apart."""

    head: Callable[[str, str, str, str], str]  # of name, kind, help, unit
    exemplars: bool = False
    second: int = 1000  # how many of a timestamp's units it is


PLAIN = Dialect(head)


def label_text(labels: Labels) -> str:
    """Return ``a="b",c="d"`` without braces; empty for no labels."""
    return ",".join([f'{name}="{value.translate(_VALUE)}"' for name, value in labels])


def stored(family: StoredFamily, dialect: Dialect = PLAIN) -> Iterator[str]:
    """Yield the text of a StatsD family in pieces; nothing when it has no series."""
    series = family.ordered()
    if not series:
        return
    write = {"histogram": _histogram, "summary": _summary}.get(family.kind, _number)
    text = dialect.head(family.name, family.kind, family.help, "")
    for start in range(0, len(series), PIECE):
        yield text + "".join([write(family, one) for one in series[start : start + PIECE]])
        text = ""


def given(family: Family, dialect: Dialect = PLAIN) -> str:
    """Return the text of a source's family."""
    return dialect.head(family.name, family.kind, family.help, family.unit) + _samples(
        family.name, family.samples, dialect
    )


def merged(
    families: Iterable[StoredFamily], others: Mapping[str, Family], dialect: Dialect = PLAIN
) -> Iterator[str]:
    """Yield everything by name: StatsD's families, and *others* from the sources.

    A name that both have is StatsD's, and what the source adds to it comes after, if the kinds agree and
    the label set is not there yet: one exposition must not tell two values for one series.
    """
    mine = {family.name: family for family in families if family.series}
    for name in sorted(mine.keys() | others.keys()):
        family, other = mine.get(name), others.get(name)
        if family is not None:
            yield from stored(family, dialect)
            if other is not None:
                yield _samples(name, fresh(family, other), dialect)
        elif other is not None:
            yield given(other, dialect)


def fresh(family: StoredFamily, other: Family) -> list[Sample]:
    """Return what the source's family *other* adds to StatsD's of the same name."""
    if other.kind != family.kind or family.kind not in ("counter", "gauge"):
        return []
    return [sample for sample in other.samples if sample.labels not in family.series]


def _samples(name: str, samples: Iterable[Sample], dialect: Dialect) -> str:
    lines = []
    for sample in samples:
        text = label_text(sample.labels)
        braced = f"{{{text}}}" if text else ""
        end = "" if sample.timestamp is None and sample.exemplar is None else _end(sample, dialect)
        lines.append(f"{name}{sample.suffix}{braced} {format_float(sample.value)}{end}\n")
    return "".join(lines)


def _end(sample: Sample, dialect: Dialect) -> str:
    """Return what stands behind the value."""
    time = "" if sample.timestamp is None else f" {_time(sample.timestamp, dialect.second)}"
    exemplar = sample.exemplar
    if exemplar is None or not dialect.exemplars or not short(exemplar):
        return time
    moment = "" if exemplar.timestamp is None else f" {_time(exemplar.timestamp, dialect.second)}"
    return f"{time} # {{{label_text(exemplar.labels)}}} {format_float(exemplar.value)}{moment}"


def short(exemplar: Exemplar) -> bool:
    """Tell whether the standard allows so many characters of labels."""
    return sum(len(name) + len(value) for name, value in exemplar.labels) <= MAX_EXEMPLAR


def _time(seconds: float, second: int) -> str:
    """Return a time in whole milliseconds, or in seconds with as many decimals."""
    whole = round(seconds * 1000)
    return str(whole) if second == 1000 else f"{whole / 1000:.3f}"


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
