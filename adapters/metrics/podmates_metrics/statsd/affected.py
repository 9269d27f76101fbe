"""Which metrics another mapping file gives another name: said at a reload, because their old series stay."""

from __future__ import annotations

from itertools import islice

from podmates_metrics.statsd.mapper import Decision, Mapper

MOST = 1000  # names compared
_LONGEST = 80  # characters shown of a name


def affected(old: Mapper, new: Mapper) -> list[str]:
    """Return ``name: before -> after`` for names that *old* remembers and *new* maps to another series."""
    found = []
    for kind, name, before in islice(old.remembered(), MOST):
        after = new.look(kind, name)
        if (_drops(before), before.name, before.labels) != (_drops(after), after.name, after.labels):
            found.append(f"{name[:_LONGEST]}: {_text(before)} -> {_text(after)}")
    return found


def _drops(decision: Decision) -> bool:
    return decision.rule is not None and decision.rule.drop


def _text(decision: Decision) -> str:
    """Return a series as the page has it, without the tags that a line brings."""
    if _drops(decision):
        return "dropped"
    labels = ",".join(f"{label}={value!r}" for label, value in decision.labels)
    return (f"{decision.name}{{{labels}}}" if labels else decision.name)[:_LONGEST]
