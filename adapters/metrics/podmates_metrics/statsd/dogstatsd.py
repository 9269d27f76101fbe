"""DogStatsD's events and service checks: lines that are no samples, as what can be counted of them."""

from __future__ import annotations

import re
from typing import NamedTuple

_EVENT = re.compile(rb"_e\{(\d{1,6}),(\d{1,6})\}:")
ALERTS = ("info", "success", "warning", "error")
PRIORITIES = ("normal", "low")
STATUSES = ("0", "1", "2", "3")  # OK, warning, critical, unknown
EVENTS, STATUS = "statsd_events_total", "service_check_status"


class Notice(NamedTuple):
    """What a line says. *tags* is DogStatsD's list as sent."""

    name: str  # of the metric
    kind: str  # counter or gauge
    value: float
    labels: dict[str, str]
    tags: str


def notice(line: bytes) -> Notice | None:
    """Return what an event or a service check says; None when *line* is neither, as it seems.

    Raises:
        ValueError: it is one and is malformed.
    """
    if line.startswith(b"_e{"):
        return _event(line)
    return _check(line) if line.startswith(b"_sc|") else None


def _event(line: bytes) -> Notice:
    """Return one event to count, by alert type, priority and source; title and text are no labels."""
    line.decode()  # all of it is text
    found = _EVENT.match(line)
    if found is None:
        raise ValueError("want the lengths of title and text")
    title = found.end() + int(found[1])  # where it ends, in bytes
    end = title + 1 + int(found[2])
    if line[title : title + 1] != b"|" or len(line) < end or line[end : end + 1] not in (b"", b"|"):
        raise ValueError("title and text are not as long as they say")
    fields = _fields(line[end + 1 :].decode())
    labels = {
        "alert_type": _one(fields.get("t", "info"), ALERTS),
        "priority": _one(fields.get("p", "normal"), PRIORITIES),
    }
    if fields.get("s"):
        labels["source_type_name"] = fields["s"]
    return Notice(EVENTS, "counter", 1.0, labels, fields.get("#", ""))


def _check(line: bytes) -> Notice:
    """Return the status of a check, by its name; the message is no label."""
    _, name, status, *rest = (line.decode() + "|").split("|")
    if not name:
        raise ValueError("want a name")
    fields = _fields("|".join(rest).removesuffix("|"))
    return Notice(STATUS, "gauge", float(_one(status, STATUSES)), {"name": name}, fields.get("#", ""))


def _fields(text: str) -> dict[str, str]:
    """Return the fields by what they begin with; the message of a check is the last and may hold anything."""
    fields: dict[str, str] = {}
    while text:
        if text.startswith("m:"):
            break
        part, _, text = text.partition("|")
        key, value = (part[0], part[1:]) if part[:1] == "#" else part.partition(":")[::2]
        fields.setdefault(key, value)
    return fields


def _one(text: str, of: tuple[str, ...]) -> str:
    if text not in of:
        raise ValueError(f"want one of {', '.join(of)}")
    return text
