"""When collecting garbage is worth its price.

git-sync collects after every change, at a cost that grows with the repository. Here it is done when enough
has gathered: so the disk does not grow without limit, and most changes pay nothing.
"""

from __future__ import annotations

from typing import NamedTuple

LOOSE = 500  # loose objects: one file each, so inodes and blocks; git's own limit is 6,700
PACKS = 10  # packs: each slows every look for an object; git's own limit is 50
GROWTH = 0.1  # of the size after the last collection
FLOOR = 4 << 20  # bytes of growth that nobody minds


class Stored(NamedTuple):
    """What a repository holds on disk."""

    loose: int  # objects
    packs: int
    size: int  # bytes of both


def is_due(now: Stored, collected: int) -> bool:
    """Return whether to collect; *collected* is the size in bytes after the last collection."""
    if now.loose >= LOOSE or now.packs >= PACKS:
        return True
    return now.size - collected > max(FLOOR, GROWTH * collected)
