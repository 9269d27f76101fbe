"""The section ``otlp`` of a native file: where figures are pushed to, how often, and as whose."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from podmates_metrics.golang import parse_duration
from podmates_metrics.tree import Keys, Scalar, one_of

_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?(\?[^\s#]*)?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = ("content-type", "content-encoding", "content-length", "transfer-encoding", "host", "user-agent")
_MOST = 50  # headers or attributes
_DEFAULT_PATH = "/v1/metrics"


@dataclass(frozen=True, slots=True)
class Push:
    """An OTLP/HTTP receiver, and what it is told. Secrets are left out of the text form."""

    endpoint: str
    interval: float = 60.0  # seconds
    timeout: float = 10.0  # seconds for a whole push
    compression: str = "gzip"  # or none
    ca_file: str = ""  # empty: the system's authorities
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    header_files: tuple[tuple[str, str], ...] = ()  # name, and the file that holds the value
    resource: tuple[tuple[str, str], ...] = ()  # attributes beside service.name


def decode_push(top: Keys) -> Push | None:
    """Return what the section says; None when there is none.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    entry = top.table_at("otlp", "otlp")
    if entry is None:
        return None
    endpoint = entry.text("endpoint")
    if not _URL.fullmatch(endpoint):
        raise entry.place("endpoint").fault("want http:// or https://, a host, and no user or password")
    if endpoint.count("/") == 2:
        endpoint += _DEFAULT_PATH
    interval = entry.scalar("interval", _seconds, 60.0)
    compression = entry.scalar(
        "compression", one_of({"gzip": "gzip", "none": "none"}, "compression {}: want gzip or none"), "gzip"
    )
    made = Push(
        endpoint,
        interval,
        entry.scalar("timeout", _seconds, min(10.0, interval)),
        compression,
        entry.text("ca_file"),
        _headers(entry, "headers"),
        _headers(entry, "header_files"),
        _pairs(entry, "resource"),
    )
    twice = {name.lower() for name, _ in made.headers} & {name.lower() for name, _ in made.header_files}
    if twice:
        raise entry.place("header_files").fault(f"header {min(twice)} stands in headers too")
    entry.finish()
    return made


def _headers(entry: Keys, key: str) -> tuple[tuple[str, str], ...]:
    found = _pairs(entry, key)
    inner = entry.table_at(key, key)
    for name, value in found:
        assert inner is not None  # noqa: S101
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            raise inner.place(name).fault(f"{name[:100]!r} is no header that may be set")
        if not printable(value):
            raise inner.place(name).fault("want printable ASCII characters")
    return found


def printable(value: str) -> bool:
    """Tell whether *value* may stand in a header."""
    return bool(value) and len(value) <= 8192 and all(" " <= character <= "~" for character in value)


def _pairs(entry: Keys, key: str) -> tuple[tuple[str, str], ...]:
    found = tuple(entry.texts_at(key).items())
    if len(found) > _MOST:
        raise entry.place(key).fault(f"more than {_MOST}")
    return found


def _seconds(scalar: Scalar) -> float:
    seconds = parse_duration(scalar.text)
    if not 1 <= seconds <= 3600:
        raise ValueError("want a time between 1s and 1h, with a unit")
    return seconds
