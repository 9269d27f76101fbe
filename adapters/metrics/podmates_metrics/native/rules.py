"""The rules of a native file: from records to series. Strict: every unknown key is refused.

Six keys are the language (`from match each name labels value`), `type` and `help` describe the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from podmates_metrics.rules.paths import Path, parse
from podmates_metrics.rules.patterns import Pattern, Template
from podmates_metrics.sources.base import Kind
from podmates_metrics.tree import Keys, Place, Scalar, Tree, keys, one_of

_LATER = [
    "unit",
    "scale",
    "buckets",
    "quantiles",
    "value_map",
    "states",
    "ttl",
    "limit",
    "exemplar",
    "action",
]  # of the language, not offered yet
_KINDS: dict[str, Kind] = {"counter": "counter", "gauge": "gauge", "untyped": "untyped"}
_NOT_OFFERED = "type {} is not offered; want counter, gauge or untyped"
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC = re.compile(r"[a-zA-Z_:](?:[a-zA-Z0-9_:]|\{[^{}]*\})*|\{[^{}]*\}(?:[a-zA-Z0-9_:]|\{[^{}]*\})*")


Fields = frozenset[str] | None  # the names that a source's records have; None: any may come


@dataclass(frozen=True, slots=True)
class NativeRule:
    index: int  # position in the file, from 0
    source: str  # empty: every source
    match: tuple[tuple[str, Pattern], ...]
    each: Path | None
    name: Template
    labels: tuple[tuple[str, Template], ...]
    value: Template | None
    kind: Kind
    help: str


def decode_rule(index: int, item: Tree, known: Mapping[str, Fields]) -> NativeRule:
    """Return a rule; *known* are the fields of each source's records.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    entry = keys(item, Place(f"rules[{index}]", item.line), "rule")
    source = entry.text("from")
    if source and source not in known:
        raise entry.place("from").fault(f"there is no source {source}")
    each = entry.scalar("each", lambda s: parse(s.text), None)
    match = _match(entry)
    name = entry.scalar("name", _name, None)
    labels = _labels(entry)
    value = entry.scalar("value", lambda s: Template(s.text), None)
    kind = entry.scalar("type", one_of(_KINDS, _NOT_OFFERED), None)
    help = entry.text("help")
    for later in _LATER:
        if later in entry.table.entries:
            raise entry.place(later).fault(f"key {later} is not offered yet")
    entry.finish()  # before what is missing: it may be there, misspelt
    if name is None:
        raise entry.place().fault("name is missing")
    made = NativeRule(index, source, match, each, name, labels, value, kind or "gauge", help)
    of = [known[source]] if source else list(known.values()) or [None]
    if each is None and None not in of:
        _check_captures(made, entry, frozenset().union(*(fields for fields in of if fields)))
    return made


def _match(entry: Keys) -> tuple[tuple[str, Pattern], ...]:
    inner = entry.table_at("match", "match")
    made = []
    for field in inner.table.entries if inner else ():
        assert inner is not None  # noqa: S101
        pattern = inner.scalar(field, _dotted if field in ("path", "metric") else _free, None)
        if pattern is not None:
            made.append((field, pattern))
    return tuple(made)


def _dotted(scalar: Scalar) -> Pattern:
    return Pattern(scalar.text, dotted=True)


def _free(scalar: Scalar) -> Pattern:
    return Pattern(scalar.text, dotted=False)


def _labels(entry: Keys) -> tuple[tuple[str, Template], ...]:
    inner = entry.table_at("labels", "labels")
    made = []
    for label in inner.table.entries if inner else ():
        assert inner is not None  # noqa: S101
        if not _LABEL.fullmatch(label):
            raise inner.place(label).fault(f"invalid label key: {label}")
        template = inner.scalar(label, lambda s: Template(s.text), None)
        if template is not None:
            made.append((label, template))
    return tuple(sorted(made, key=lambda pair: pair[0]))


def _name(scalar: Scalar) -> Template:
    if not _METRIC.fullmatch(scalar.text):
        raise ValueError(f"{scalar.text!r} is no metric name: letters, digits, _ and {{captures}}")
    return Template(scalar.text)


def _check_captures(rule: NativeRule, entry: Keys, fields: frozenset[str]) -> None:
    """Refuse a template that refers to neither a field nor what a pattern of its rule captures."""
    made = fields.union(*(pattern.names for _, pattern in rule.match))
    used = [("name", rule.name), *((f"labels.{label}", t) for label, t in rule.labels)]
    used += [("value", rule.value)] if rule.value else []
    for key, template in used:
        for name in template.names:
            if name not in made:
                raise entry.place(key).fault(f"{{{name}}}: no pattern captures it")
