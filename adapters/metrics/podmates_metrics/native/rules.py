"""The rules of a native file: from records to series. Strict: every unknown key is refused.

Six keys are the language (`from match each name labels value`), the others say what the result is like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

from podmates_metrics.native import rulekeys
from podmates_metrics.native.rulekeys import Templates
from podmates_metrics.rules import units
from podmates_metrics.rules.paths import Path, parse
from podmates_metrics.rules.patterns import Pattern, Template
from podmates_metrics.sources.base import Kind
from podmates_metrics.tree import Keys, Place, Scalar, Tree, keys, one_of

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
QUANTILES = (0.5, 0.9, 0.99)
EVENTS = frozenset({"statsd", "log"})  # kinds of source that tell what happens, not what is
DOCUMENTS = frozenset({"http", "socket", "file", "command"})  # kinds that may give JSON, for `each`

Action = Literal["map", "drop", "continue"]
_ACTIONS: dict[str, Action] = {name: name for name in get_args(Action)}
_KINDS: dict[str, Kind] = {name: name for name in get_args(Kind)}
# Keys that are for certain types only.
_ONLY: dict[str, tuple[Kind, ...]] = {
    "buckets": ("histogram",),
    "quantiles": ("summary",),
    "states": ("stateset",),
    "exemplar": ("counter", "histogram"),
    "unit": ("counter", "gauge", "untyped", "histogram", "summary"),
    "scale": ("counter", "gauge", "untyped", "histogram", "summary"),
    "value_map": ("counter", "gauge", "untyped", "histogram", "summary"),
}
_OWN_LABEL: dict[Kind, str] = {"histogram": "le", "summary": "quantile"}


class Origin(NamedTuple):
    """What rules need to know of a source.

    *fields* are the names its records have; None: any may come. *finished*: its series are jmx_exporter's.
    """

    kind: str  # http, statsd, log…
    fields: frozenset[str] | None = None
    finished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeRule:
    index: int  # position in the file, from 0
    source: str  # empty: every source
    match: tuple[tuple[str, Pattern], ...]
    each: Path | None
    action: Action
    name: Template
    labels: Templates  # sorted by name
    value: Template | None
    kind: Kind
    help: str
    unit: str = ""  # of the values; empty: what the name says
    scale: float = 1.0  # what values are multiplied with, before the unit
    buckets: tuple[float, ...] = BUCKETS
    quantiles: tuple[float, ...] = QUANTILES
    value_map: Mapping[str, float] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    ttl: float | None = None  # seconds; 0: for ever; None: the file's default
    limit: int | None = None  # series of the family; None: the file's
    exemplar: Templates = ()
    typed: bool = True  # the file says the type; if not, a StatsD event keeps its own
    utf8: bool = False  # names are as they are, not escaped

    def work(self) -> NativeRule:
        """Return what is equal for rules that do the same, wherever they stand."""
        return replace(self, index=0, source="")

    def templates(self) -> Iterator[tuple[str, Template]]:
        """Yield every template with its key."""
        yield "name", self.name
        for key, table in (("labels", self.labels), ("exemplar", self.exemplar)):
            yield from ((f"{key}.{label}", template) for label, template in table)
        if self.value:
            yield "value", self.value


def decode_rules(
    items: Sequence[Tree], known: Mapping[str, Origin], *, utf8: bool = False
) -> list[NativeRule]:
    """Return the rules of a file; *known* are its sources, *utf8*: names may have any characters.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    made: list[NativeRule] = []
    for index, item in enumerate(items):
        place = Place(f"rules[{index}]", item.line)
        rule = _rule(index, keys(item, place, "rule"), known, utf8)
        before = next((other for other in made if _hides(other, rule)), None)
        if before is not None:
            raise place.fault(
                f"is never reached: rules[{before.index}] takes all these records; "
                "put it after this one, or give it action: continue"
            )
        made.append(rule)
    return made


def _action(scalar: Scalar) -> Action:
    return one_of(_ACTIONS, "action {} is not map, drop or continue")(scalar)


def _kind(scalar: Scalar) -> Kind:
    return one_of(_KINDS, "type {} is none of " + ", ".join(_KINDS))(scalar)


def _hides(first: NativeRule, later: NativeRule) -> bool:
    same = first.each == later.each and first.source in ("", later.source)
    return same and not first.match and first.action != "continue"


def _rule(index: int, entry: Keys, known: Mapping[str, Origin], utf8: bool) -> NativeRule:
    source = entry.text("from")
    if source and source not in known:
        raise entry.place("from").fault(f"there is no source {source}")
    action: Action = entry.scalar("action", _action, "map")
    kind: Kind = entry.scalar("type", _kind, "gauge")
    name = entry.scalar("name", rulekeys.any_name if utf8 else rulekeys.name, None)
    rule = NativeRule(
        index=index,
        source=source,
        match=rulekeys.patterns(entry),
        each=entry.scalar("each", lambda s: parse(s.text), None),
        action=action,
        name=name or Template(""),
        labels=rulekeys.templates(entry, "labels", utf8=utf8),
        value=entry.scalar("value", lambda s: Template(s.text), None),
        kind=kind,
        help=entry.text("help"),
        unit=entry.scalar("unit", lambda s: units.parse(s.text), ""),
        scale=entry.scalar("scale", rulekeys.factor, 1.0),
        buckets=rulekeys.numbers(entry, "buckets", rulekeys.MAX_BUCKETS) or BUCKETS,
        quantiles=rulekeys.numbers(entry, "quantiles", rulekeys.MAX_QUANTILES) or QUANTILES,
        value_map=rulekeys.value_map(entry),
        states=rulekeys.words(entry, "states"),
        ttl=entry.scalar("ttl", rulekeys.lifetime, None),
        limit=entry.scalar("limit", rulekeys.count, None),
        exemplar=rulekeys.templates(entry, "exemplar"),
        typed="type" in entry.table.entries,
        utf8=utf8,
    )
    entry.finish()  # before what is missing: it may be there, misspelt
    if action == "drop":
        _check_drop(entry)
    else:
        if name is None:
            raise entry.place().fault("name is missing")
        _check_type(rule, entry)
    origins = [known[source]] if source else list(known.values())
    _check_origins(rule, entry, origins)
    fields = [origin.fields for origin in origins]
    if rule.each is None and fields and None not in fields:
        _check_captures(rule, entry, frozenset().union(*(some for some in fields if some)))
    return rule


def _check_drop(entry: Keys) -> None:
    for key in entry.table.entries:
        if key not in ("from", "match", "each", "action"):
            raise entry.place(key).fault(f"action drop makes no series and needs no {key}")


def _check_type(rule: NativeRule, entry: Keys) -> None:
    """Refuse keys that mean nothing for the type of the rule."""
    for key, kinds in _ONLY.items():
        if key in entry.table.entries and rule.kind not in kinds:
            raise entry.place(key).fault(f"{key} is for type {' or '.join(kinds)}, this is {rule.kind}")
    if rule.kind == "stateset" and not rule.states:
        raise entry.place().fault("states is missing")
    if rule.kind == "info" and rule.value is not None:
        raise entry.place("value").fault("value of an info is always 1")
    if any(not 0 <= quantile <= 1 for quantile in rule.quantiles):
        raise entry.place("quantiles").fault("a quantile lies between 0 and 1")
    own = _OWN_LABEL.get(rule.kind, rule.name.text if rule.kind == "stateset" else "")
    if any(label == own for label, _ in rule.labels):
        raise entry.place(f"labels.{own}").fault(f"a {rule.kind} has a label {own} of its own")


def _check_origins(rule: NativeRule, entry: Keys, origins: Sequence[Origin]) -> None:
    """Refuse what the sources of the rule cannot give."""
    strangers = sorted({origin.kind for origin in origins} - EVENTS)
    if rule.kind in ("histogram", "summary") and (strangers or not origins):
        raise entry.place("type").fault(_ONLY_EVENTS.format(f"type {rule.kind}"))
    if rule.ttl is not None and (strangers or not origins):
        raise entry.place("ttl").fault(_ONLY_EVENTS.format("ttl"))
    if any(origin.kind == "statsd" or origin.finished for origin in origins) and rule.each is None:
        _check_labels(rule, entry)
    if any(origin.finished for origin in origins) and rule.each is None:
        _check_finished(rule, entry)
    if rule.each is not None and origins and not any(origin.kind in DOCUMENTS for origin in origins):
        raise entry.place("each").fault(f"a {origins[0].kind} source has no documents to choose from")


def _check_labels(rule: NativeRule, entry: Keys) -> None:
    """Refuse names of labels that StatsD's series, and those of a JVM as jmx_exporter's, cannot have."""
    for label, _ in rule.labels:
        if not rulekeys.LABEL.fullmatch(label):
            raise entry.place(f"labels.{label}").fault(f"invalid label key: {label}; {_ELSE}")


def _check_finished(rule: NativeRule, entry: Keys) -> None:
    """Refuse what jmx_exporter has not."""
    for key in ("unit", "value_map", "limit", "exemplar"):
        if key in entry.table.entries:
            raise entry.place(key).fault(f"not for a source with as_jmx_exporter; {_ELSE}")
    if rule.kind in ("info", "stateset"):
        raise entry.place("type").fault(f"a source with as_jmx_exporter makes no {rule.kind}; {_ELSE}")


_ELSE = "if the rule is for other sources, say so by from"
_ONLY_EVENTS = "{} needs from: a source of events (statsd, log); others tell at every scrape what is so then"


def _check_captures(rule: NativeRule, entry: Keys, fields: frozenset[str]) -> None:
    """Refuse a template that refers to neither a field nor what a pattern of its rule captures."""
    made = fields.union(*(pattern.names for _, pattern in rule.match))
    for key, template in rule.templates():
        for name in template.names:
            if name not in made:
                raise entry.place(key).fault(f"{{{name}}}: no pattern captures it")
