"""What brings a mirror to a tree: facts in, steps out, no file touched here.

The laws of this file: whatever is not ours is in no step; nothing is removed before everything that can be
written without that has been; where policy says to fail, there are no steps at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from podmates_gitsync.mirror.listing import Entry, folders


class Kind(Enum):
    """What was seen at a path."""

    ABSENT = "absent"
    OURS = "ours"  # as we left it
    READY = "ready"  # not as we left it, but exactly what the tree has
    OTHER = "other"  # a file or link that is neither
    FOLDER = "folder"  # a folder; `Look.hinder` are the files in it
    BLOCKED = "blocked"  # something above it is no folder; that is `Look.hinder`


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at a path, and what must go before a file can be written there."""

    kind: Kind
    hinder: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Put:
    """Write a file of the tree beside its place and rename it there."""

    path: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """Remember a file that is already there as ours."""

    path: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove a file of ours."""

    path: str


@dataclass(frozen=True, slots=True)
class Forget:
    """It is no file of ours any more; nothing is touched."""

    path: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Remove a folder and those in it; all must be empty by now."""

    folder: str


@dataclass(frozen=True, slots=True)
class Prune:
    """Remove a folder of ours if it is empty."""

    folder: str


Step = Put | Adopt | Drop | Forget | Clear | Prune


@dataclass(slots=True)
class Plan:
    """What to do, and what is in the way of doing all of it.

    Attributes:
        steps: in order; none when something is refused.
        kept: files that somebody changed, and that stay as they are.
        refused: path → why the mirror cannot be brought up to date.
    """

    steps: list[Step] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known before deciding.

    Attributes:
        old: path → what we have put there.
        new: path → what the tree has.
        seen: what is at each path of both.
        stale: paths of both whose content differs although git has the same for them.
        made: folders that we made.
    """

    old: Mapping[str, Entry]
    new: Mapping[str, Entry]
    seen: Mapping[str, Look]
    stale: Collection[str] = ()
    made: Collection[str] = ()


def plan(facts: Facts, policy: str) -> Plan:
    """Return how to get from *facts* to a mirror of the new tree.

    Args:
        facts: what there is.
        policy: ``overwrite``, ``keep`` or ``fail``: what becomes of files of ours that somebody changed.
    """
    planner = _Planner(facts, policy)
    planner.leave()
    planner.arrive()
    return planner.finish()


class _Planner:
    def __init__(self, facts: Facts, policy: str) -> None:
        self._facts, self._policy = facts, policy
        self._plan = Plan()
        self._adopted: list[Step] = []
        self._forgotten: list[Step] = []
        self._written: list[Step] = []
        self._crowded: list[str] = []  # to be written once something has gone
        self._gone: set[str] = set()  # files to be dropped

    def leave(self) -> None:
        """Decide on the files that the new tree has no more."""
        for path in sorted(set(self._facts.old) - set(self._facts.new)):
            kind = self._facts.seen[path].kind
            if kind in {Kind.ABSENT, Kind.FOLDER, Kind.BLOCKED}:
                self._forgotten.append(Forget(path))  # ours is gone already
            elif kind is Kind.OURS or self._overwrites(path):
                self._gone.add(path)
            else:
                self._forgotten.append(Forget(path))

    def arrive(self) -> None:
        """Decide on the files of the new tree."""
        facts = self._facts
        for path in sorted(facts.new):
            look = facts.seen[path]
            if look.kind is Kind.READY:
                self._adopted.append(Adopt(path))
            elif path not in facts.old:
                self._newcomer(path, look)
            elif look.kind is Kind.OURS:
                if facts.old[path] != facts.new[path] or path in facts.stale:
                    self._written.append(Put(path))
            elif self._overwrites(path):
                self._write(path, look)

    def _newcomer(self, path: str, look: Look) -> None:
        if look.kind is Kind.ABSENT:
            self._written.append(Put(path))
        elif look.kind is Kind.OTHER:
            self._in_the_way(path)
        else:
            self._write(path, look)

    def _write(self, path: str, look: Look) -> None:
        strangers = [name for name in look.hinder if name not in self._gone]
        for stranger in strangers:
            self._in_the_way(stranger)
        if not strangers:
            if look.kind in {Kind.FOLDER, Kind.BLOCKED}:
                self._crowded.append(path)
            else:
                self._written.append(Put(path))

    def _overwrites(self, path: str) -> bool:
        """Return whether a file of ours that somebody changed is to become ours again."""
        if self._policy == "keep":
            self._plan.kept.append(path)
        elif self._policy == "fail":
            self._plan.refused[path] = "somebody changed it"
        return self._policy == "overwrite"

    def _in_the_way(self, path: str) -> None:
        """A file that is not ours is where one of the tree belongs."""
        if self._policy == "keep":
            if path not in self._plan.kept:
                self._plan.kept.append(path)
        else:
            self._plan.refused.setdefault(path, "it is not ours, and in the way of a file of the repository")

    def finish(self) -> Plan:
        if not self._plan.refused:
            self._plan.steps = [*self._adopted, *self._forgotten, *self._written, *self._ending()]
        return self._plan

    def _ending(self) -> Iterator[Step]:
        """Yield what removes something: first what makes room, then the rest, then empty folders."""
        left = set(self._gone)
        for path in self._crowded:
            look = self._facts.seen[path]
            for name in look.hinder:
                if name in left:
                    left.discard(name)
                    yield Drop(name)
            if look.kind is Kind.FOLDER:
                yield Clear(path)
            yield Put(path)
        yield from (Drop(path) for path in sorted(left))
        needed = {folder for path in self._facts.new for folder in folders(path)}
        cleared = set(self._crowded)
        idle = [
            folder
            for folder in self._facts.made
            if folder not in needed and not cleared.intersection([folder, *folders(folder)])
        ]
        yield from (Prune(folder) for folder in sorted(idle, key=lambda name: (-name.count("/"), name)))
