"""The query language of the package jmxquery: ``[metric<label=value,…>==]bean[/attribute[/key]]``."""

from __future__ import annotations

import re
from typing import NamedTuple

_QUERY = re.compile(
    r"""(?:(?P<metric>[^<=:/]+)(?:<(?P<labels>[^>]*)>)?==)?
    (?P<bean>[^":/<>]*:(?:[^"/]|"(?:[^\\"]|\\.)*")+)(?:/(?P<attribute>[^/]+))?(?:/(?P<key>.+))?""",
    re.VERBOSE,
)


class Query(NamedTuple):
    """What to read, and what to call it. The bean may be a pattern; no attribute means all of them."""

    bean: str
    attribute: str | None = None
    key: str | None = None  # of a composite value
    metric: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


def parse_query(text: str) -> Query:
    """Return the query that *text* says; a ``/`` in the name of a bean must be in quotes.

    Raises:
        ValueError: it says none.
    """
    found = _QUERY.fullmatch(text.strip())
    if not found:
        raise ValueError("expected [metric<label=value>==]domain:key=value[/attribute[/key]]")
    parts = (part.strip().partition("=")[::2] for part in (found["labels"] or "").split(",") if part.strip())
    return Query(found["bean"], found["attribute"], found["key"], found["metric"], tuple(parts))
