"""Everything that a scrape gets, in the format that it asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from podmates_metrics.exposition import openmetrics, text
from podmates_metrics.exposition.names import Names, escaped
from podmates_metrics.exposition.negotiation import Format
from podmates_metrics.sources.base import Family
from podmates_metrics.statsd.store import StoredFamily


def page(
    format: Format,
    stored: Sequence[StoredFamily],
    others: Mapping[str, Family],
    own: Mapping[str, Family],
    *,
    numbers: text.Numbers = text.numbers,
    names: Names = Names.PLAIN,
) -> Iterator[bytes]:
    """Yield the page in pieces, between which the receivers may have their turn.

    Args:
        format: what was negotiated.
        stored: StatsD's families.
        others: the sources' families by name.
        own: the adapter's own, whose names nobody else has; they come last.
        numbers: writes counters and gauges.
        names: what is done about odd ones, which *others* alone may have.
    """
    if names is Names.ESCAPED:
        others = escaped(others, own)
    if format is Format.PROTOBUF:
        from podmates_metrics.exposition import protobuf  # late: few ask for it

        yield from protobuf.merged(stored, others)
        yield b"".join(map(protobuf.given, own.values()))
        return
    dialect = text.PLAIN
    if format is Format.OPENMETRICS:
        dialect = openmetrics.dialect(stored, [*others.values(), *own.values()])
    if names is Names.QUOTED:
        dialect = replace(dialect, quoted=True)
    for piece in text.merged(stored, others, dialect, numbers):
        yield piece.encode()
    yield "".join(text.given(family, dialect) for family in own.values()).encode()
    if format is Format.OPENMETRICS:
        yield openmetrics.END.encode()
