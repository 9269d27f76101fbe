"""Which globs of a mapping file are never reached, because an earlier one takes all of their metrics."""

from __future__ import annotations

from podmates_metrics.statsd.glob import Globs
from podmates_metrics.statsd.mapper import KINDS
from podmates_metrics.statsd.mapping import Mapping


def covered(mapping: Mapping) -> list[str]:
    """Return a sentence for each; none where the order of the file means nothing."""
    if not mapping.ordered:
        return []
    rules = [rule for rule in mapping.rules if rule.regex is None]
    globs = {
        kind: Globs([(rule.index, rule.match) for rule in rules if rule.kind in ("", kind)], ordered=True)
        for kind in KINDS
    }
    notes = []
    for rule in rules:
        # Taken for a name, its stars are met by stars only: what takes it takes all that it does.
        found = [globs[kind].find(rule.match) for kind in KINDS if rule.kind in ("", kind)]
        takers = [one[0] for one in found if one is not None]
        if all(taker != rule.index for taker in takers):
            notes.append(
                f"mappings[{rule.index}] is never reached: mappings[{takers[0]}] takes all of its metrics"
            )
    return notes
