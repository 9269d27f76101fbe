"""What the rules have done for a source, as self metrics."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from podmates_metrics.rules.limits import MAX_NAMES, OVERFLOW, Room
from podmates_metrics.statsd.engine import Totals


class Page(Protocol):
    """What rules made of the records of one scrape."""

    records: int
    matches: Counter[str]
    errors: Counter[tuple[str, str]]
    room: Room


class Ledger:
    """Adds up page after page; the series are those of the last one."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._records = 0
        self._matches: Counter[str] = Counter()
        self._errors: Counter[tuple[str, str]] = Counter()
        self._series: Counter[str] = Counter()
        self._overflow: Counter[str] = Counter()

    def add(self, page: Page) -> None:
        """Take what a page gave."""
        self._records += page.records
        self._matches += page.matches
        self._errors += page.errors
        self._series = page.room.series
        for family, count in page.room.overflow.items():
            known = family in self._overflow or len(self._overflow) < MAX_NAMES
            self._overflow[family if known else OVERFLOW] += count

    def gone(self) -> None:
        """Note that the series of the last page are shown no more."""
        self._series = Counter()

    def totals(self) -> Totals:
        """Return the values of the self metrics."""
        name = self._source
        series = Counter(dict(self._series.most_common(MAX_NAMES)))
        rest = self._series.total() - series.total()
        series.update({OVERFLOW: rest} if rest else {})
        return {
            "podmates_records_total": {(name,): self._records},
            "podmates_rule_matches_total": {(name, rule): n for rule, n in self._matches.items()},
            "podmates_rule_errors_total": {(name, *key): n for key, n in self._errors.items()},
            "podmates_series": {(name, family): n for family, n in series.items()},
            "podmates_series_overflow_total": {(name, family): n for family, n in self._overflow.items()},
        }
