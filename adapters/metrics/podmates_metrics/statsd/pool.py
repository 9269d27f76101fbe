"""Labels of many series in little memory."""

from __future__ import annotations

from podmates_metrics.sources.base import Labels

_MAX_SHARED = 1024  # names of labels, and pairs with their values, of which one copy is kept


class Pool:
    """One copy of what many series have in common: names of labels, and pairs that come again."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}

    def share(self, labels: Labels) -> Labels:
        """Return *labels*, made of parts that other series have as well."""
        names, pairs = self._names, self._pairs
        for pool in (names, pairs):
            if len(pool) > _MAX_SHARED:
                pool.clear()  # those that come again are back soon
        copies = [(names.setdefault(name, name), value) for name, value in labels]
        return tuple([pairs.setdefault(pair, pair) for pair in copies])
