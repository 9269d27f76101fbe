"""What hooks are told of a commit, as plain data: where it came from, and which files differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

LONGEST = 16 << 20  # bytes of a list of changed files

# What two steps, each git's status of one path, come to; in every other case the second says it all.
_MERGED = {
    ("A", "M"): "A",
    ("A", "T"): "A",
    ("A", "D"): "",  # it was never there
    ("D", "A"): "M",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to run hooks for.

    Attributes:
        commit: the full hash.
        previous: what was there before; empty for nothing.
        files: git's ``status NUL path NUL`` for each path that differs; None when nobody knows.
    """

    commit: str
    previous: str = ""
    files: bytes | None = None

    def since(self, previous: str) -> Change:
        """Return the same change for a hook that was last told of *previous*."""
        return self if previous == self.previous else replace(self, previous=previous, files=None)

    def then(self, later: Change) -> Change:
        """Return this change and *later* as one."""
        if self.files is None or later.files is None:
            return Change(later.commit, self.previous)
        statuses = dict(entries(self.files))
        for path, status in entries(later.files):
            merged = _MERGED.get((statuses.pop(path, ""), status), status)
            if merged:
                statuses[path] = merged
        files = listed(statuses)
        return Change(later.commit, self.previous, files if len(files) <= LONGEST else None)

    def including(self, untold: Change | None) -> Change:
        """Return what to tell those who were not told of *untold*, the change before, either.

        Where nothing new was published since, this change is from its own commit to itself.
        """
        if untold is None or untold.commit != self.previous:
            return self
        return untold if self.commit == self.previous else untold.then(self)

    def count(self) -> int | None:
        """Return how many paths differ; None when nobody knows."""
        return None if self.files is None else self.files.count(b"\0") // 2


def entries(files: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield (path, status) of a list as `Change.files` holds it."""
    fields = files.split(b"\0")
    for status, path in zip(fields[::2], fields[1::2], strict=False):
        yield path, status.decode()


def listed(statuses: Mapping[bytes, str]) -> bytes:
    """Return the list of path → status."""
    return b"".join(status.encode() + b"\0" + path + b"\0" for path, status in statuses.items())


def variables(change: Change, *, ref: str, link: str, files: str) -> dict[str, str]:
    """Return what an exechook's environment has beside everything that we were given.

    Args:
        files: where the list of the changed files is.
    """
    return {
        "GITSYNC_HASH": change.commit,
        "GITSYNC_PREVIOUS_HASH": change.previous,
        "GITSYNC_REF": ref,
        "GITSYNC_LINK": link,
        "GITSYNC_CHANGED_FILES": files,
    }


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whom to hand a change to; neither is waited for."""

    before: Callable[[Change], None]
    after: Callable[[Change], None]
    updated: Callable[[], None]  # counts an update
    wanted: bool = True  # whether anybody reads which files changed
    inside: bool = False  # whether `before` lets somebody work in the tree
    told: Callable[[], str] = lambda: ""  # the commit that `after` was told last, by an earlier process too
