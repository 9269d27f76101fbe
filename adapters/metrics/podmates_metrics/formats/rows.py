"""Texts whose lines are rows of named fields: CSV, logfmt, JSON lines, what a regular expression reads."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator

from podmates_metrics.formats.base import Format, FormatProblem, Misses, lines, number
from podmates_metrics.records import Record
from podmates_metrics.regexes import Regex
from podmates_metrics.rules.apply import as_text
from podmates_metrics.rules.paths import Json

_PAIR = re.compile(r'([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*)))?(?=\s|\Z)')
_BLANK = re.compile(r"\s*")
_ESCAPED = re.compile(r"\\(.)")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}
_MAX_FIELDS = 1000  # of one row; the others are left out
_MAX_DEPTH = 20


def csv_rows(text: str, format: Format, misses: Misses) -> Iterator[Record]:
    """Yield the rows below the header, which may begin with ``#``; cells without a column are left out.

    Raises:
        FormatProblem: there is no header.
    """
    separator = format.separator or ","
    rows = csv.reader(lines(text, misses), delimiter=separator)
    header = list(format.columns)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error:
            misses.lines += 1
            continue
        if not header:
            first = row[0].removeprefix("#").strip() if row else ""
            header = [name.strip() for name in [first, *row[1:]]][:_MAX_FIELDS]
            continue
        fields = {name: cell for name, cell in zip(header, row, strict=False) if name}
        yield _record(fields | {"text": separator.join(row)})
    if not header:
        raise FormatProblem("there is no header")


def _record(fields: dict[str, str]) -> Record:
    """Return the row, whose number is that of a field called ``value``."""
    return Record(fields, number(fields["value"]) if "value" in fields else None)


def line_rows(text: str, format: Format, misses: Misses) -> Iterator[Record]:
    """Yield what each line is read as, by `reader`; with *whole*, what each pattern finds in the text."""
    if format.whole:
        for pattern in format.patterns:
            fields = _groups(pattern, text)
            if fields is None:
                misses.lines += 1
            else:
                yield _record(fields)
        return
    read = reader(format)
    for line in lines(text, misses):
        fields = read(line)
        if fields is None:
            misses.lines += 1
        else:
            yield _record(fields)


def line_record(format: Format) -> Callable[[str, str], Record | None]:
    """Return what makes a record of a line of a file, or None when it cannot be read."""
    read = reader(format)

    def make(line: str, file: str) -> Record | None:
        fields = read(line)
        return None if fields is None else _record(fields | {"@file": file})

    return make


def reader(format: Format) -> Callable[[str], dict[str, str] | None]:
    """Return what gives the fields of a line, or None when it cannot be read."""
    if format.kind == "line":
        return lambda line: {"text": line}
    if format.kind == "logfmt":
        return logfmt
    if format.kind == "jsonl":
        return json_line
    return lambda line: _first(format.patterns, line)


def logfmt(line: str) -> dict[str, str] | None:
    """Return the pairs of ``level=info msg="it works" done``; a bare key is ``true``. None: it is none."""
    fields: dict[str, str] = {}
    position = _end(_BLANK, line, 0)
    while position < len(line):
        found = _PAIR.match(line, position)
        if not found or len(fields) > _MAX_FIELDS:
            return None
        if found[2] is not None:
            fields[found[1]] = _ESCAPED.sub(lambda m: _LETTERS.get(m[1], m[1]), found[2])
        else:
            fields[found[1]] = found[3] if found[3] is not None else "true"
        position = _end(_BLANK, line, found.end())
    return fields | {"text": line} if fields else None


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def json_line(line: str) -> dict[str, str] | None:
    """Return the members of an object by their dotted paths. None: the line is something else."""
    try:
        value: Json = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    fields: dict[str, str] = {}
    _flatten(value, "", fields, _MAX_DEPTH)
    return fields | {"text": line}


def _flatten(value: Json, path: str, fields: dict[str, str], depth: int) -> None:
    inner = list(value.items()) if isinstance(value, dict) else []
    if isinstance(value, list):
        inner = [(str(index), item) for index, item in enumerate(value[:_MAX_FIELDS])]
    for key, member in inner if depth else ():
        _flatten(member, f"{path}.{key}" if path else key, fields, depth - 1)
    text = as_text(value)
    if text is not None and len(fields) < _MAX_FIELDS:
        fields[path] = text


def _first(patterns: tuple[Regex, ...], line: str) -> dict[str, str] | None:
    for pattern in patterns:
        fields = _groups(pattern, line)
        if fields is not None:
            return fields
    return None


def _groups(pattern: Regex, text: str) -> dict[str, str] | None:
    found = pattern.search(text)
    if found is None:
        return None
    named = {name: part for name, part in found.groupdict().items() if part is not None}
    return named | {"text": found[0] or ""}
