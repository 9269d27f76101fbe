"""statsd_exporter's mapping files in the native form: the same series from the same lines.

What the native form has no words for is refused with its place, never left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from podmates_metrics.converting.groups import named as with_names
from podmates_metrics.converting.units import has_unit
from podmates_metrics.converting.writing import document
from podmates_metrics.statsd.mapping import (
    DEFAULT_BUCKETS,
    DEFAULT_HELP,
    DEFAULT_QUANTILES,
    Mapping,
    Rule,
    Shape,
    Summary,
    decode,
)
from podmates_metrics.tree import Listing, Place, Table, Tree

SOURCE = "statsd"
# As many as there may be without native rules, and labels as long as the native form lets them be.
_LIMITS = {"series_per_family": 250_000, "series_total": 250_000, "label_value_length": 4096}
_NOTES = (  # what holds for every native statsd source, whatever the file says
    "other than statsd_exporter: sets, events, service checks, packed counters and gauges are taken,",
    "tags without a value are labels, and OpenMetrics is offered, where a counter without _total is unknown",
)
_EMPTY = "other than statsd_exporter: a * of a glob takes no empty part of a name, as in a..b"
_PREFIX = "p"  # of captures that had numbers only
_OBSERVED = "~timer|histogram|distribution"
_TYPES = {"counter": "counter", "gauge": "gauge", "observer": _OBSERVED}
_GLOB = re.compile(r"\$\{?([A-Za-z0-9_$]+)\}?")
_REGEX = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)
Keys = dict[str, object]  # of a native rule


class _Match(NamedTuple):
    """A pattern in native words. *expand* makes a template of one that refers to the pattern's groups."""

    pattern: str
    expand: Callable[[str], str]


def convert(tree: Tree | None) -> str:
    """Return the native form of a mapping file.

    Raises:
        Fault: the file is wrong, or says what the native form cannot; with line and key path.
    """
    mapping, place = decode(tree), _places(tree)
    head: Keys = {"sources": {SOURCE: {"statsd": {"udp": ":9125", "tcp": ":9125"}}}, "limits": _LIMITS}
    if mapping.shape.ttl is not None:
        head["defaults"] = {"ttl": _seconds(mapping.shape.ttl, place(None))}
    rules = [keys for rule in _in_order(mapping) for keys in _rule(rule, place(rule))]
    rules += _rest(mapping.shape, place(None))
    starred = any(rule.regex is None and "*" in rule.match for rule in mapping.rules)
    return document([*_NOTES, *([_EMPTY] if starred else [])], head, rules)


def _places(tree: Tree | None) -> Callable[[Rule | None], Place]:
    """Return what says where a rule stands; None: where the defaults do."""
    top = tree if isinstance(tree, Table) else Table({}, {}, 1)
    items = top.entries.get("mappings")
    lines = [item.line for item in items.items] if isinstance(items, Listing) else []

    def place(rule: Rule | None) -> Place:
        if rule is None:
            return Place("defaults", top.lines.get("defaults", 1))
        return Place(f"mappings[{rule.index}]", lines[rule.index])

    return place


def _in_order(mapping: Mapping) -> list[Rule]:
    """Return the rules as they are tried: globs first, unordered ones from the most specific on."""
    globs = [rule for rule in mapping.rules if rule.regex is None]
    if not mapping.ordered:
        globs.sort(key=lambda rule: [segment == "*" for segment in rule.match.split(".")])
    return globs + [rule for rule in mapping.rules if rule.regex is not None]


def _rule(rule: Rule, place: Place) -> Iterator[Keys]:
    """Yield the native rules for one: two, where timers become something else than other events."""
    try:
        matched = _glob(rule.match) if rule.regex is None else _regex(rule)
    except ValueError as error:
        raise Place(f"{place.path}.match", place.line).fault(str(error)) from None
    match: Keys = {"metric": matched.pattern}
    if rule.kind:
        match["type"] = _TYPES[rule.kind]
    if rule.drop:
        yield {"match": match, "action": "drop"}
        return
    if rule.honor_labels:
        raise Place(f"{place.path}.honor_labels", place.line).fault("the native form has no such key")
    rest = _result(rule, matched.expand, place)
    shape = _shape(rule.shape, place) if rule.kind in ("", "observer") else {}
    if shape and not rule.kind:
        yield {"match": match | {"type": _OBSERVED}} | shape | rest
        shape = {}
    yield {"match": match} | shape | rest


def _result(rule: Rule, expand: Callable[[str], str], place: Place) -> Keys:
    rest: Keys = {}
    try:
        name = expand(rule.name)
        labels = {label: expand(text) for label, text in rule.labels}
    except ValueError as error:
        raise place.fault(str(error)) from None
    if not name:
        raise Place(f"{place.path}.name", place.line).fault("comes out empty")
    rest["name"] = name
    if has_unit(name):
        rest["unit"] = "none"
    if labels:
        rest["labels"] = labels
    if rule.shape.help != DEFAULT_HELP:
        rest["help"] = rule.shape.help
    if rule.scale is not None:
        if not rule.scale:
            raise Place(f"{place.path}.scale", place.line).fault("the native form has no scale 0")
        rest["scale"] = rule.scale
    if rule.shape.ttl is not None:
        rest["ttl"] = _seconds(rule.shape.ttl, place)
    return rest


def _shape(shape: Shape, place: Place) -> Keys:
    """Return the keys for what timers become; none for a summary as everybody has it."""
    if shape.histogram:
        buckets = {} if shape.buckets == DEFAULT_BUCKETS else {"buckets": list(shape.buckets)}
        return {"type": "histogram", **buckets}
    usual = Summary()
    if (shape.summary.max_age, shape.summary.age_buckets) != (usual.max_age, usual.age_buckets):
        raise Place(f"{place.path}.summary_options", place.line).fault(
            "the native form has one window, of 10m"
        )
    if shape.summary.quantiles == DEFAULT_QUANTILES:
        return {}
    return {"type": "summary", "quantiles": [quantile for quantile, _ in shape.summary.quantiles]}


def _rest(shape: Shape, place: Place) -> Iterator[Keys]:
    """Yield a rule for what no rule takes, where the defaults make something else of it than is usual."""
    keys = _shape(shape, place)
    if keys:
        yield {"match": {"metric": "**", "type": _OBSERVED}} | keys | {"name": "{metric}", "unit": "none"}


def _glob(pattern: str) -> _Match:
    parts = pattern.split("*")
    made = "".join(f"{part}{{{_PREFIX}{number}}}" for number, part in enumerate(parts[:-1], 1)) + parts[-1]
    names = {str(number): f"{_PREFIX}{number}" for number in range(1, len(parts))}

    def reference(found: re.Match[str]) -> str:
        number = str(int(found[1])) if found[1].isdigit() and len(found[1]) < 6 else ""
        return f"{{{names[number]}}}" if number in names else ""

    return _Match(made, lambda text: _GLOB.sub(reference, _plain(text, _GLOB)))


def _regex(rule: Rule) -> _Match:
    """Return a search as the anchored expression that finds the same."""
    text, names = with_names(rule.match, _PREFIX)
    texts = [rule.name, *(text for _, text in rule.labels)]
    whole = any(found[1] == "0" or found[2] == "0" for text in texts for found in _REGEX.finditer(text))
    known = names | {name: name for name in names.values()} | ({"0": f"{_PREFIX}0"} if whole else {})

    def reference(found: re.Match[str]) -> str:
        name = found[1] or found[2] or ""
        return "$" if found[0] == "$$" else f"{{{known[name]}}}" if name in known else ""

    inner = f"(?P<{_PREFIX}0>{text})" if whole else f"(?:{text})"
    return _Match(f"~(?s:.*?){inner}(?s:.*)", lambda text: _REGEX.sub(reference, _plain(text, _REGEX)))


def _plain(template: str, reference: re.Pattern[str]) -> str:
    """Return *template*, which has no brace beside those of its references.

    Raises:
        ValueError: it has one, which in the native form begins a reference.
    """
    if re.search(r"[{}]", reference.sub("", template)):
        raise ValueError(f"{template[:80]!r}: the native form has no way to write a brace")
    return template


def _seconds(ttl: float, place: Place) -> str:
    if ttl <= 0:
        raise Place(f"{place.path}.ttl", place.line).fault("the native form has no ttl below 0")
    return f"{ttl:.9f}".rstrip("0").rstrip(".") + "s"  # a duration has no exponent
