"""What is in a mirror, compared with what we left there and with the tree that it is to follow."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from podmates_gitsync.mirror.compare import is_blob, is_same
from podmates_gitsync.mirror.listing import Entry
from podmates_gitsync.mirror.plan import Facts, Kind, Look
from podmates_gitsync.mirror.records import Manifest, Record, Stamp
from podmates_gitsync.mirror.tree import Blocked, Tree, stamp

_ATTRIBUTES = ".gitattributes"  # says how content changes on its way into a tree


@dataclass(slots=True)
class Sight:
    """The facts for a plan, and how each file looked, so that a change meanwhile is noticed."""

    facts: Facts
    stamps: dict[str, Stamp] = field(default_factory=dict)


def resolve(manifest: Manifest, target: Tree) -> None:
    """Find out which deeds of a run that was cut off were done.

    Raises:
        OSError
    """
    for path, record in list(manifest.pending.items()):
        found = _stamp(target, path)
        gone = found is None or stat.S_ISDIR(found.mode)  # a folder may have come in its place since
        if not (gone if record is None else found == record.stamp):
            del manifest.pending[path]
    manifest.settle()


def look(
    manifest: Manifest, new: Mapping[str, Entry], target: Tree, source: Tree, *, first: bool = False
) -> Sight:
    """Return what a plan needs to know.

    Args:
        manifest: with nothing pending.
        new: what git has for the tree; files that are not in it, a hook may have removed them, are left out.
        target: the mirror.
        source: the tree.
        first: nothing is known about how the mirror was made: by another version, with other settings.

    Raises:
        OSError: something cannot be looked at.
    """
    old = {path: record.entry for path, record in manifest.files.items()}
    new = {path: entry for path, entry in new.items() if old.get(path) == entry or _is_there(source, path)}
    seen, stamps = {}, {}
    for path in sorted(old.keys() | new.keys()):
        eye = _Eye(target, source, path, new.get(path))
        seen[path] = eye.look(manifest.files.get(path), old)
        if eye.stamp is not None:
            stamps[path] = eye.stamp
    kept = [p for p in new if old.get(p) == new[p] and seen[p].kind is Kind.OURS]
    stale = _stale(kept, new, target, source, thorough=_attributes(old) != _attributes(new), first=first)
    return Sight(Facts(old, new, seen, stale, frozenset(manifest.folders)), stamps)


class _Eye:
    """Looks at one path."""

    def __init__(self, target: Tree, source: Tree, path: str, entry: Entry | None) -> None:
        self._target, self._source, self._path, self._entry = target, source, path, entry
        self.stamp: Stamp | None = None

    def look(self, record: Record | None, old: Mapping[str, Entry]) -> Look:
        try:
            status = self._target.status(self._path)
        except Blocked as blocked:
            return Look(Kind.BLOCKED, (blocked.path,))
        if status is None:
            return Look(Kind.ABSENT)
        if stat.S_ISDIR(status.st_mode):
            return Look(Kind.FOLDER, self._inside(old))
        self.stamp = stamp(status)
        if record and record.stamp == self.stamp:
            return Look(Kind.OURS)
        if self._entry and is_same(self._target, self._source, self._path, self._entry):
            return Look(Kind.READY)
        if record and is_blob(self._target, self._path, record.entry):
            return Look(Kind.OURS)
        return Look(Kind.OTHER)

    def _inside(self, old: Mapping[str, Entry]) -> tuple[str, ...]:
        """Return the files in a folder that is in the way, up to the first that is not ours."""
        found = []
        for path in self._target.files(self._path) if self._entry else ():
            found.append(path)
            if path not in old:
                break
        return tuple(found)


def _stale(
    paths: list[str],
    new: Mapping[str, Entry],
    target: Tree,
    source: Tree,
    *,
    thorough: bool,
    first: bool,
) -> set[str]:
    """Return those of *paths* whose content differs although git has the same: line ends, git-lfs."""
    if thorough:
        return {path for path in paths if not is_same(target, source, path, new[path])}
    return {path for path in paths if first and _size(target, path) != _size(source, path)}


def _attributes(entries: Mapping[str, Entry]) -> dict[str, str]:
    return {path: entry.blob for path, entry in entries.items() if path.rpartition("/")[2] == _ATTRIBUTES}


def _is_there(tree: Tree, path: str) -> bool:
    return _stamp(tree, path) is not None


def _size(tree: Tree, path: str) -> int:
    found = _stamp(tree, path)
    return found.size if found else -1


def _stamp(tree: Tree, path: str) -> Stamp | None:
    try:
        status = tree.status(path)
    except Blocked:
        return None
    return None if status is None else stamp(status)
