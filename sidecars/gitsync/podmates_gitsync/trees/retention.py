"""Which entries of the trees' folder may go: by age, by number, and never one that is protected."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import NamedTuple

from podmates_gitsync.git.refs import is_hash


class Entry(NamedTuple):
    """Something in the folder."""

    name: str
    changed: float  # its time of modification, seconds; of a tree: when it was replaced
    folder: bool


class Retired(NamedTuple):
    """When this process replaced a tree."""

    changed: float  # the time of modification that the tree got then
    monotonic: float  # the same moment on a clock that nobody can put back or forward


def dated(changed: float, retired: Retired | None, *, now: float, monotonic: float) -> float:
    """Return when a tree was replaced, told by today's clock, which may have been put back or forward since.

    Args:
        changed: its time of modification.
        retired: what this process knows; it counts unless somebody has set the time of the tree since.
        now, monotonic: both clocks.
    """
    if retired is not None and retired.changed == changed:
        return now - (monotonic - retired.monotonic)
    return min(changed, now)


def stale(entries: Iterable[Entry], *, protected: Set[str], before: float, keep: int) -> list[str]:
    """Return the names of the entries to remove, the oldest first.

    Args:
        entries: everything in the folder, strays of others included.
        protected: names that stay whatever their age.
        before: only what changed before this time may go, seconds.
        keep: so many trees beside the protected ones stay however old, the youngest. Only a folder named
            by a commit counts as a tree.
    """
    rest = sorted(
        (entry for entry in entries if entry.name not in protected), key=lambda e: (e.changed, e.name)
    )
    trees = [entry for entry in rest if entry.folder and is_hash(entry.name)]
    kept = set(trees[max(0, len(trees) - keep) :])
    return [entry.name for entry in rest if entry.changed < before and entry not in kept]
