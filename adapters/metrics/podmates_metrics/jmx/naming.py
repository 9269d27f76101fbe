"""Names, labels and help as jmx_exporter 1.x finishes them. No I/O."""

from __future__ import annotations

import re
from functools import lru_cache

from podmates_metrics.jmx.walk import Reading

_ILLEGAL = re.compile(r"[^a-zA-Z0-9:]+")  # `_` is among them, so that runs of it become one
_SUFFIXES = ("_total", "_created", "_bucket", "_info")


@lru_cache(maxsize=16384)
def safe(text: str) -> str:
    """Return *text* as a name: every run of other characters is one ``_``; none begins with a digit."""
    return ("_" if text[:1].isdigit() else "") + _ILLEGAL.sub("_", text)


@lru_cache(maxsize=16384)
def stripped(name: str) -> str:
    """Return *name* without the suffixes that Prometheus reserves, however many there are."""
    while suffix := next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), ""):
        if name == suffix:
            return name[1:]
        name = name[: -len(suffix)]
    return name


def label(text: str) -> str:
    """Return *text* as the name of a label: never empty, and unlike in a name ``:`` is not allowed."""
    made = safe(text).replace(":", "_") or "_"
    return made[1:-1] if made.lower() == "__name__" else made  # a second name would end a scrape


def default_name(reading: Reading) -> str:
    """Return the name without any rule: domain, first property, keys and attribute."""
    first = [reading.properties[0][1]] if reading.properties else []
    return stripped(safe("_".join([reading.domain, *first, *reading.keys, reading.attribute])))


def default_labels(reading: Reading) -> tuple[dict[str, str], int]:
    """Return the other properties as labels, and how many were lost because two names became one."""
    rest = reading.properties[1:]
    found = {label(key): value for key, value in rest}
    return found, len(rest) - len(found)


def help_text(reading: Reading) -> str:
    """Return what the attribute says of itself, and where it comes from."""
    found = dict(reading.properties)
    where = (
        f"{reading.domain}:name={found.get('name', 'null')},type={found.get('type', 'null')},"
        f"attribute={reading.attribute}"
    )
    description = reading.description
    return f"{description} {where}" if description not in (None, reading.attribute) else where
