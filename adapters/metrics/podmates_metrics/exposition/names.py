"""Names that only Prometheus 3 knows: quoted for who asks for them so, escaped for all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum

from podmates_metrics.sources.base import Family, Labels, Sample
from podmates_metrics.statsd.names import escape

# In a label's value, in a quoted name, and in a help of OpenMetrics.
ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


class Names(Enum):
    """What is done about names of other characters than letters, digits, ``_`` and ``:``."""

    PLAIN = "plain"  # there are none
    ESCAPED = "escaped"
    QUOTED = "quoted"


def is_plain(name: str) -> bool:
    """Tell whether every Prometheus knows *name*; a label's has no ``:``, which does not matter here."""
    return name.isascii() and name.replace(":", "_").isidentifier()


def shown(name: str) -> str:
    """Return *name*, in quotes if it needs them."""
    return name if is_plain(name) else f'"{name.translate(ESCAPES)}"'


def label_text(labels: Labels) -> str:
    """Return ``a="b","c.d"="e"`` without braces; empty for no labels."""
    return ",".join([f'{shown(name)}="{value.translate(ESCAPES)}"' for name, value in labels])


def series(name: str, labels: Labels) -> str:
    """Return ``name{labels}``, or ``{"odd.name",labels}``."""
    text = label_text(labels)
    if is_plain(name):
        return f"{name}{{{text}}}" if text else name
    return f"{{{shown(name)},{text}}}" if text else f"{{{shown(name)}}}"


def escaped(families: Mapping[str, Family], own: Mapping[str, Family]) -> dict[str, Family]:
    """Return *families* with names that every Prometheus knows; none becomes one of *own*.

    Of two that become one, which only different sources can have, the first by name is shown, with those
    series of the other that it has not, if both are counters or gauges.
    """
    made: dict[str, Family] = {}
    for name in sorted(families):
        family = families[name]
        clean = name if is_plain(name) else escape(name)
        if clean in own and clean != name:
            continue
        samples = [_escaped(sample) for sample in family.samples]
        there = made.get(clean)
        if there is None:
            made[clean] = replace(family, name=clean, samples=samples)
        elif there.kind == family.kind and family.kind in ("counter", "gauge"):
            known = {sample.labels for sample in there.samples}
            there.samples += [sample for sample in samples if sample.labels not in known]
    return made


def _escaped(sample: Sample) -> Sample:
    if all(is_plain(name) for name, _ in sample.labels):
        return sample
    labels = tuple(sorted((name if is_plain(name) else escape(name), text) for name, text in sample.labels))
    return replace(sample, labels=labels)
