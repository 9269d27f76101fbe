"""The answer to a probe in the text format: families by name, series by the values of their labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from podmates_metrics.exposition.text import head, label_text
from podmates_metrics.golang import format_float
from podmates_metrics.json_exporter.core.extract import Found
from podmates_metrics.sources.base import Labels


def text(families: Mapping[str, Found]) -> str:
    """Return the page; empty for no families."""
    out = []
    for name in sorted(families):
        family = families[name]
        if family.series:
            out.append(head(name, family.kind, family.help))
        for labels, value, timestamp in sorted(family.series, key=_place):
            braced = f"{{{label_text(labels)}}}" if labels else ""
            moment = "" if timestamp is None else f" {timestamp}"
            out.append(f"{name}{braced} {format_float(value)}{moment}\n")
    return "".join(out)


def about(taken: Collection[str], outcome: str, seconds: float) -> str:
    """Return the families about the probe itself, without those whose names are *taken*."""
    told = {
        "probe_success": Found("gauge", "1 if there was a document and a page of it."),
        "probe_duration_seconds": Found("gauge", "How long the probe took."),
    }
    told["probe_success"].series.append(((), float(outcome == "success"), None))
    told["probe_duration_seconds"].series.append(((), seconds, None))
    return text({name: family for name, family in told.items() if name not in taken})


def _place(series: tuple[Labels, float, int | None]) -> tuple[int, list[str], int]:
    labels, _, timestamp = series
    return len(labels), [value for _, value in labels], timestamp or 0
