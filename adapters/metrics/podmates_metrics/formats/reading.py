"""An answer through its format into the rules."""

from __future__ import annotations

import json
from collections.abc import Iterator

from podmates_metrics.formats import keyvalue, rows
from podmates_metrics.formats.base import MAX_RECORDS, Format, FormatProblem, Misses, cells
from podmates_metrics.formats.promtext import feed_page
from podmates_metrics.records import Record
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.paths import Json


def feed(body: bytes, format: Format, applied: Applied) -> int:
    """Give what *body* holds to the rules; return how many lines of it could not be read.

    Raises:
        FormatProblem: it is not what the format says.
    """
    if format.kind == "json":
        try:
            applied.document(_document(body))
        except RecursionError:
            raise FormatProblem("nested too deep") from None
        return 0
    misses = Misses()
    if format.kind == "prometheus":
        feed_page(body.decode(errors="replace"), applied, misses)
        return misses.lines
    count = 0
    for record in records(body.decode(errors="replace"), format, misses):
        count += 1
        if count > MAX_RECORDS:
            raise FormatProblem(f"more than {MAX_RECORDS} records")
        applied.record(record)
    if misses.lines and not count:
        raise FormatProblem(f"none of its {misses.lines} lines could be read as {format.kind}")
    return misses.lines


def records(text: str, format: Format, misses: Misses) -> Iterator[Record]:
    """Yield the records of a text in any format but ``json`` and ``prometheus``."""
    if format.kind == "keyvalue":
        return keyvalue.read(text, format.separator, misses)
    read = rows.csv_rows if format.kind == "csv" else rows.line_rows
    found = read(text, format, misses)
    return found if format.cells == "rows" else cells(found, both=format.cells == "both")


def _document(body: bytes) -> Json:
    try:
        document: Json = json.loads(body)
        return document
    except (ValueError, RecursionError) as error:
        raise FormatProblem(f"this is not JSON: {str(error)[:100]}") from None
