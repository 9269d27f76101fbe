"""How many series there may be, and what becomes of those beyond: no silence, no counter that jumps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from podmates_metrics.sources.base import Kind, Labels

OVERFLOW = "__overflow__"
MAX_NAMES = 1000  # families that the counts tell apart; those beyond are summed up under `OVERFLOW`
SUMMED = frozenset({"counter", "histogram", "summary"})  # kinds whose overflow adds up


@dataclass(frozen=True, slots=True)
class Limits:
    """The key ``limits`` of a rule file."""

    series_per_family: int = 2000
    series_total: int = 50_000  # of each source
    label_value_length: int = 256  # characters; the rest is cut off
    aggregate: bool = True  # on_overflow: aggregate


class Room:
    """Counts the series of one source and says where a new one may go."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.series: Counter[str] = Counter()  # by family, overflow series not among them
        self.overflow: Counter[str] = Counter()  # records without a series of their own, by family
        self._total = 0

    def take(self, name: str, kind: Kind, labels: Labels, limit: int | None) -> Labels | None:
        """Return the labels for a new series: its own, those of the overflow series, or None: there is none.

        *limit* is the rule's own for the family.
        """
        most = self._limits.series_per_family if limit is None else limit
        if self.series[name] < most and self._total < self._limits.series_total:
            self.series[name] += 1
            self._total += 1
            return labels
        known = name in self.overflow or len(self.overflow) < MAX_NAMES
        self.overflow[name if known else OVERFLOW] += 1
        if not (self._limits.aggregate and kind in SUMMED and labels and known):
            return None
        return tuple((key, OVERFLOW) for key, _ in labels)

    def leave(self, name: str) -> None:
        """Note that a series of a family is gone that had a place of its own."""
        self.series[name] -= 1
        self._total -= 1
        if not self.series[name]:
            del self.series[name]
