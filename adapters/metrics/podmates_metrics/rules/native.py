"""The native rule file: sources, and rules from records to series. Strict: every unknown key is refused.

Six keys are the language (`from match each name labels value`), `type` and `help` describe the result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from podmates_metrics.golang import parse_duration
from podmates_metrics.jmx.querytext import parse_query
from podmates_metrics.jmx.target import Target, parse_target
from podmates_metrics.rules.paths import Path, parse
from podmates_metrics.rules.patterns import Pattern, Template
from podmates_metrics.sources.base import Kind
from podmates_metrics.tree import Fault, Keys, Listing, Place, Scalar, Table, Tree, keys, one_of, whole

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
_JMX = {"hostPort", "jmxUrl", "lowercaseOutputName", "lowercaseOutputLabelNames", "startDelaySeconds"}
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_SOURCE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_METRIC = re.compile(r"[a-zA-Z_:](?:[a-zA-Z0-9_:]|\{[^{}]*\})*|\{[^{}]*\}(?:[a-zA-Z0-9_:]|\{[^{}]*\})*")


@dataclass(frozen=True, slots=True)
class Http:
    """A statistics page: asked by GET at every scrape."""

    name: str
    url: str
    timeout: float = 5.0  # seconds
    max_size: int = 16 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Statsd:
    """StatsD listeners in place of the default ones; an empty address is off."""

    udp: str = ""
    tcp: str = ""


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


@dataclass(frozen=True, slots=True)
class Native:
    http: tuple[Http, ...] = ()
    jmx: tuple[Target, ...] = ()
    statsd: Statsd | None = None
    rules: tuple[NativeRule, ...] = ()


def decode(tree: Tree) -> Native:
    """Return the sources and rules of a native file.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    top = keys(tree, Place("", 1), "file")
    http: list[Http] = []
    jmx: list[Target] = []
    statsd: Statsd | None = None
    sources = top.table_at("sources", "sources")
    for name in sources.table.entries if sources else ():
        assert sources is not None  # noqa: S101
        found = _source(name, sources)
        if isinstance(found, Http):
            http.append(found)
        elif isinstance(found, Statsd):
            if statsd:
                raise sources.place(name).fault("there is a statsd source already")
            statsd = found
        else:
            jmx.append(found)
    known = set(sources.table.entries) if sources else set()
    rules = [_rule(i, item, known) for i, item in enumerate(top.list_at("rules"))]
    for key in ("limits", "defaults", "files"):
        if key in top.table.entries:
            raise top.place(key).fault(f"{key} is not offered yet")
    top.finish()
    return Native(tuple(http), tuple(jmx), statsd, tuple(rules))


def _source(name: str, sources: Keys) -> Http | Statsd | Target:
    entry = sources.table_at(name, "source")
    place = sources.place(name)
    if not _SOURCE.fullmatch(name):
        raise place.fault("want a name of letters, digits, _ and -")
    if entry is None or len(entry.table.entries) != 1:
        raise place.fault("want one of http, jmx, statsd")
    kind = next(iter(entry.table.entries))
    if kind not in ("http", "jmx", "statsd"):
        offered = " is not offered yet" if kind in ("socket", "log", "file") else ": unknown"
        raise entry.place(kind).fault(f"source kind {kind}{offered}; want one of http, jmx, statsd")
    inner = entry.table_at(kind, f"source.{kind}")
    if inner is None:
        raise entry.place(kind).fault("want a table of keys and values")
    made: Http | Statsd | Target
    if kind == "http":
        made = _http(name, inner)
    elif kind == "jmx":
        made = _jmx(name, inner)
    else:
        made = Statsd(inner.text("udp"), inner.text("tcp"))
    inner.finish()
    return made


def _http(name: str, entry: Keys) -> Http:
    url = _required(entry, "url")
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise entry.place("url").fault("want an address that begins with http:// or https://")
    entry.scalar("format", one_of({"json": "json"}, "format {} is not offered; want json"), "json")
    timeout = entry.scalar("timeout", _seconds, 5.0)
    size = entry.scalar("max_size", whole, 16 << 20)
    return Http(name, url, timeout, size)


def _jmx(name: str, entry: Keys) -> Target:
    text, queries = _required(entry, "target"), entry.list_at("queries")
    place = entry.place("target")
    try:
        target = parse_target(f"{name}={text}")
        place = entry.place("queries")
        texts = [query.text if isinstance(query, Scalar) else "" for query in queries]
        return replace(target, queries=tuple(parse_query(text) for text in texts))
    except ValueError as error:
        raise place.fault(str(error)) from None


def _seconds(scalar: Scalar) -> float:
    seconds = parse_duration(scalar.text)
    if not 0 < seconds <= 3600:
        raise ValueError("want a time between 0 and 1h, with a unit")
    return seconds


def _required(entry: Keys, key: str) -> str:
    text = entry.text(key)
    if not text:
        raise entry.place().fault(f"{key} is missing")
    return text


def _rule(index: int, item: Tree, known: set[str]) -> NativeRule:
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
    if each is None:
        _check_captures(made, entry)
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


def _check_captures(rule: NativeRule, entry: Keys) -> None:
    """Refuse a template that refers to what no pattern of its rule captures."""
    made = {"path", "value", "text"}.union(*(pattern.names for _, pattern in rule.match))
    used = [("name", rule.name), *((f"labels.{label}", t) for label, t in rule.labels)]
    used += [("value", rule.value)] if rule.value else []
    for key, template in used:
        for name in template.names:
            if name not in made:
                raise entry.place(key).fault(f"{{{name}}}: no pattern captures it")


def shape(tree: Tree | None) -> str:
    """Tell whose file it is by its top-level keys: native, statsd_exporter, jmx_exporter, json_exporter.

    Raises:
        Fault: it is none of them.
    """
    if not isinstance(tree, Table):
        raise Fault("line 1: want a table of keys and values")
    entries = tree.entries
    if "sources" in entries:
        return "native"
    if "mappings" in entries:
        return "statsd_exporter"
    if "modules" in entries:
        return "json_exporter"
    if _JMX & set(entries):
        return "jmx_exporter"
    rules = entries.get("rules")
    first = rules.items[0] if isinstance(rules, Listing) and rules.items else None
    if getattr(first, "entries", {}).keys() & {"pattern", "attrNameSnakeCase"}:
        return "jmx_exporter"
    if set(entries) <= {"defaults"} and entries:
        return "statsd_exporter"
    return "native"
