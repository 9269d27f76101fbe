"""The keys of a source that say how its answer is read."""

from __future__ import annotations

from podmates_metrics.formats.base import Cells, Format
from podmates_metrics.regexes import Regex, compiled
from podmates_metrics.tree import Keys, Listing, Scalar, one_of

KINDS = ("json", "keyvalue", "csv", "regex", "logfmt", "jsonl", "prometheus")
_OFFERED = "format {} is not offered; want one of " + ", ".join(KINDS)
LINE_KINDS = ("line", "regex", "logfmt", "jsonl")
_LINES_OFFERED = "format {} is not offered; want one of " + ", ".join(LINE_KINDS)
_RECORDS: dict[str, Cells] = {"rows": "rows", "cells": "cells", "both": "both"}
_MAX_PATTERNS = 100
_MAX_COLUMNS = 1000


def decode_format(entry: Keys, default: str = "") -> Format:
    """Return what the keys ``format``, ``separator``, ``columns``, ``pattern``, ``over`` and ``records`` say.

    Only those of its format are taken; the others are unknown keys.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    kind = entry.scalar("format", one_of({kind: kind for kind in KINDS}, _OFFERED), default)
    if not kind:
        raise entry.place().fault("format is missing; want one of " + ", ".join(KINDS))
    if kind in ("json", "prometheus"):
        return Format(kind)
    if kind == "keyvalue":
        return Format(kind, separator=entry.scalar("separator", _separator, ""))
    cells: Cells = entry.scalar("records", one_of(_RECORDS, "{}: want rows, cells or both"), "rows")
    if kind == "csv":
        return Format(kind, entry.scalar("separator", _letter, ""), _columns(entry), cells=cells)
    if kind == "regex":
        whole = entry.scalar("over", one_of({"lines": False, "text": True}, "{}: want lines or text"), False)
        return Format(kind, patterns=_patterns(entry), whole=whole, cells=cells)
    return Format(kind, cells=cells)


def decode_line_format(entry: Keys) -> Format:
    """Return how the lines of a log are read: the keys ``format`` and ``pattern``."""
    kind = entry.scalar("format", one_of({kind: kind for kind in LINE_KINDS}, _LINES_OFFERED), "line")
    return Format(kind, patterns=_patterns(entry) if kind == "regex" else ())


def _separator(scalar: Scalar) -> str:
    if not scalar.text or len(scalar.text) > 20:
        raise ValueError("want a text of 1 to 20 characters")
    return scalar.text


def _letter(scalar: Scalar) -> str:
    if len(scalar.text) != 1 or scalar.text in '"\r\n':
        raise ValueError("want a single character")
    return scalar.text


def _columns(entry: Keys) -> tuple[str, ...]:
    items = entry.list_at("columns")
    names = tuple(item.text for item in items if isinstance(item, Scalar))
    if len(names) != len(items) or len(names) > _MAX_COLUMNS:
        raise entry.place("columns").fault(f"want a list of at most {_MAX_COLUMNS} names")
    return names


def _patterns(entry: Keys) -> tuple[Regex, ...]:
    found = entry.get("pattern")
    items = found.items if isinstance(found, Listing) else (found,) if found else ()
    place = entry.place("pattern")
    if not 0 < len(items) <= _MAX_PATTERNS:
        raise place.fault(f"want 1 to {_MAX_PATTERNS} regular expressions")
    made = []
    for item in items:
        if not isinstance(item, Scalar):
            raise place.fault("want regular expressions")
        try:
            pattern = compiled(item.text)
        except ValueError as error:
            raise place.fault(f"{item.text[:80]!r}: {error}") from None
        if not pattern.groupindex:
            raise place.fault(f"{item.text[:80]!r}: there is no named group, (?P<name>…)")
        made.append(pattern)
    return tuple(made)
