"""Lines of a log through the rules, for `run`."""

from __future__ import annotations

from podmates_metrics.formats.base import Format, Misses, lines
from podmates_metrics.formats.rows import line_record
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.rules.keeping import Kept
from podmates_metrics.sources.base import Family
from podmates_metrics.trial.witness import Witness


def events(rules: Ruleset, sample: bytes, format: Format, witness: Witness) -> tuple[list[Family], list[str]]:
    """Return what the lines come to, and what is wrong with some."""
    kept, misses, read = Kept(rules), Misses(), line_record(format)
    kept.witness = witness
    for line in lines(sample.decode(errors="replace"), misses):
        record = read(line, "sample")
        if record is None:
            misses.lines += 1
        else:
            kept.record(record, 0.0, 0.0)
    unread = [f"{misses.lines} lines could not be read as {format.kind}"] if misses.lines else []
    return kept.families(0.0), unread
