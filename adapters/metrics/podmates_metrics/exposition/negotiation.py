"""What a scraper asks for: a format, by ``Accept`` among those that are offered, and an answer in time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from podmates_metrics.exposition.names import Names

_PROTOBUF = "application/vnd.google.protobuf"
_PROTO = "io.prometheus.client.MetricFamily"
_MOST = 50  # alternatives looked at; Prometheus names four
_QUOTED = "allow-utf-8"
# Names of letters, digits and _ are the same in all of these; ``dots`` would double each _.
_SAME = (_QUOTED, "underscores", "values")


class Format(Enum):
    TEXT = "text"  # 0.0.4
    OPENMETRICS = "openmetrics"
    PROTOBUF = "protobuf"  # delimited


class Choice(NamedTuple):
    format: Format
    content_type: str
    names: Names


class _Wanted(NamedTuple):
    """One alternative of an ``Accept``."""

    kind: str  # type/subtype
    parameters: dict[str, str]
    quality: float


def choose(accept: str, *, openmetrics: bool, utf8: bool = False) -> Choice:
    """Return what answers *accept*: the best of its alternatives that there is, else the text format.

    Args:
        accept: the header's value; empty: it is absent.
        openmetrics: offer it.
        utf8: there may be names that not every scraper knows.
    """
    wanted = sorted(_alternatives(accept), key=lambda one: -one.quality)  # stable: of equals the first
    for one in wanted:
        format = _format(one)
        if format is not None and (openmetrics or format is not Format.OPENMETRICS):
            return _choice(format, one.parameters, utf8)
    return _choice(Format.TEXT, {}, utf8)


def _choice(format: Format, parameters: dict[str, str], utf8: bool) -> Choice:
    escaping = parameters.get("escaping", "")
    if not utf8:
        escaping = escaping if escaping in _SAME else "underscores"
        return Choice(format, _content_type(format, parameters, escaping), Names.PLAIN)
    escaping = _QUOTED if escaping == _QUOTED else "underscores"
    names = Names.QUOTED if escaping == _QUOTED else Names.ESCAPED
    return Choice(format, _content_type(format, parameters, escaping), names)


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether a body may be compressed."""
    return any(one.kind == "gzip" for one in _alternatives(accept_encoding))


def patience(headers: Mapping[str, str]) -> float | None:
    """Return for how many seconds Prometheus waits, less some for the way; None when it does not say."""
    try:
        seconds = float(headers.get("X-Prometheus-Scrape-Timeout-Seconds", ""))
    except ValueError:
        return None
    return max(seconds - 0.5, seconds / 2) if 0 < seconds < 3600 else None


def _alternatives(header: str) -> Iterator[_Wanted]:
    """Yield those that are wanted at all."""
    for text in header.split(",", _MOST)[:_MOST]:
        kind, *rest = (part.strip() for part in text.split(";"))
        pairs = (part.partition("=") for part in rest)
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        if kind and 0 < quality < math.inf:
            yield _Wanted(kind.lower(), parameters, quality)


def _format(one: _Wanted) -> Format | None:
    version = one.parameters.get("version", "")
    if one.kind == _PROTOBUF:
        whole = one.parameters.get("proto") == _PROTO and one.parameters.get("encoding") == "delimited"
        return Format.PROTOBUF if whole else None
    if one.kind == "application/openmetrics-text":
        return Format.OPENMETRICS if version in ("", "0.0.1", "1.0.0") else None
    if one.kind == "text/plain":
        return Format.TEXT if version in ("", "0.0.4", "1.0.0") else None
    return Format.TEXT if one.kind in ("*/*", "text/*") else None


def _content_type(format: Format, parameters: dict[str, str], escaping: str) -> str:
    end = f"escaping={escaping}"
    if format is Format.PROTOBUF:
        return f"{_PROTOBUF}; proto={_PROTO}; encoding=delimited; {end}"
    if format is Format.OPENMETRICS:
        version = parameters.get("version") or "0.0.1"  # as client_golang answers
        return f"application/openmetrics-text; version={version}; charset=utf-8; {end}"
    return f"text/plain; version=0.0.4; charset=utf-8; {end}"
