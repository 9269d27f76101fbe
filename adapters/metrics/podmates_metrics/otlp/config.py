"""The section ``otlp`` of a native file: where figures are pushed to, how often, and as whose."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from podmates_common.parse import check_host
from podmates_metrics.golang import parse_duration
from podmates_metrics.tree import Keys, Scalar, one_of

_URL = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|(?P<host>[^\s/?#@:\[\]]+))(?::(?P<port>[0-9]{1,5}))?"
    r"(/[^\s?#]*)?(\?[^\s#]*)?"
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = ("content-type", "content-encoding", "content-length", "transfer-encoding", "host", "user-agent")
MOST = 50  # headers or attributes
DEFAULT_PATH = "/v1/metrics"
Pairs = tuple[tuple[str, str], ...]  # name and value of each


@dataclass(frozen=True, slots=True)
class Push:
    """An OTLP/HTTP receiver, and what it is told. Secrets are left out of the text form."""

    endpoint: str
    interval: float = 60.0  # seconds
    timeout: float = 10.0  # seconds for a whole push
    compression: str = "gzip"  # or none
    ca_file: str = ""  # empty: the system's authorities
    headers: Pairs = field(default=(), repr=False)
    header_files: Pairs = ()  # name, and the file that holds the value
    resource: Pairs = ()  # attributes beside service.name
    suffixes: bool = True  # metrics are called as on the page, with _total and their unit at the end
    identified: bool = False  # a resource without service.instance.id has one of this process


def decode_push(top: Keys) -> Push | None:
    """Return what the section says; None when there is none.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    entry = top.table_at("otlp", "otlp")
    if entry is None:
        return None
    try:
        endpoint = address(entry.text("endpoint"))
    except ValueError as error:
        raise entry.place("endpoint").fault(str(error)) from None
    if endpoint.count("/") == 2:
        endpoint += DEFAULT_PATH
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


def address(text: str) -> str:
    """Return *text*, the address of a receiver; a ValueError says what it should be, and not what it is."""
    found = _URL.fullmatch(text)
    if found is None or not 0 < int(found["port"] or 80) < 65536:
        raise ValueError("want http:// or https://, a host, and no user or password")
    check_host(found["host"] or "")
    return text


def check_header(name: str, value: str) -> None:
    """Raise a ValueError, which tells neither, if the two are no header that may be sent along."""
    if not _HEADER.fullmatch(name) or name.lower() in _OURS:
        raise ValueError("no header that may be set")
    if not printable(value):
        raise ValueError("want printable ASCII characters")


def _headers(entry: Keys, key: str) -> Pairs:
    return headers(entry, key, _pairs)


def headers(entry: Keys, key: str, pairs: Callable[[Keys, str], Pairs]) -> Pairs:
    """Return the headers at *key*, as *pairs* reads a table.

    Raises:
        Fault: one cannot be sent; a name that no header can have is not told: a secret may stand there.
    """
    inner = entry.table_at(key, key)
    for name in inner.table.entries if inner else ():
        if inner and not _HEADER.fullmatch(name):
            raise inner.unnamed(name).fault("a name that is no header's")
    found = pairs(entry, key)
    for name, value in found:
        assert inner is not None  # noqa: S101
        try:
            check_header(name, value)
        except ValueError as error:
            raise inner.place(name).fault(str(error)) from None
    return found


def printable(value: str) -> bool:
    """Tell whether *value* may stand in a header."""
    return bool(value) and len(value) <= 8192 and all(" " <= character <= "~" for character in value)


def _pairs(entry: Keys, key: str) -> Pairs:
    found = tuple(entry.texts_at(key).items())
    if len(found) > MOST:
        raise entry.place(key).fault(f"more than {MOST}")
    return found


def _seconds(scalar: Scalar) -> float:
    seconds = parse_duration(scalar.text)
    if not 1 <= seconds <= 3600:
        raise ValueError("want a time between 1s and 1h, with a unit")
    return seconds
