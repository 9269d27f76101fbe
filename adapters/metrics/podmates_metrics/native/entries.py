"""The entries below ``sources:`` of a native file: what is asked, where and how. Strict."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from podmates_metrics.golang import parse_duration
from podmates_metrics.jmx.querytext import parse_query
from podmates_metrics.jmx.target import Target, parse_target
from podmates_metrics.tree import Keys, Scalar, one_of, whole

_SOURCE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


NUMBERS = frozenset({"path", "value", "text"})  # the fields of a JSON document's numbers


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


def decode_source(name: str, sources: Keys) -> Http | Statsd | Target:
    """Return the source called *name*.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
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
