"""What brings the volume to a commit: facts in, steps out, no file touched here.

The law of this file: at no point do the steps remove the tree that the link names at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Observed:
    """Facts gathered before deciding; trees are absolute paths."""

    commit: str  # what the ref names upstream
    published: str | None  # where the link points; None before the first publish
    present: bool  # there is something at the canonical path of *commit*
    sound: bool  # and it is a complete checkout of it: published, or `waiting`
    updated: bool  # this process has brought the volume up to date before
    waiting: str | None = None  # a complete tree that this process made and has not published


@dataclass(frozen=True, slots=True)
class Advance:
    """Move our branch, so that later fetches negotiate cheaply."""

    commit: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove a tree now: nothing names it."""

    tree: str


@dataclass(frozen=True, slots=True)
class Add:
    """Make an empty worktree."""

    tree: str
    commit: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Fill a worktree, or repair it in place."""

    tree: str
    commit: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Replace the link."""

    tree: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Start the retention clock of a tree that the link named until now."""

    tree: str


Step = Advance | Drop | Add | Settle | Publish | Retire


def plan(seen: Observed, *, canonical: str, standby: str) -> list[Step]:
    """Return the steps to *seen.commit* in order; an empty list means in sync.

    Args:
        seen: the facts.
        canonical: where a tree of this commit belongs; its base name is the commit.
        standby: where one may stand meanwhile, when the canonical path is taken by a published tree
            that is damaged. Its base name is the commit too.
    """
    commit = seen.commit
    steps: list[Step] = []
    if seen.waiting is not None and seen.waiting not in {canonical, seen.published}:
        steps.append(Drop(seen.waiting))  # its commit is not wanted any more, and nobody ever read it
    if seen.published == canonical and seen.sound:
        return steps if seen.updated else [*steps, Advance(commit), Settle(canonical, commit)]
    steps.append(Advance(commit))
    old = seen.published
    if not seen.sound:
        if old == canonical and seen.present:  # damaged, but people may be reading it: build beside it
            steps += [Add(standby, commit), Settle(standby, commit), Publish(standby)]
            old = standby
        if seen.present:
            steps.append(Drop(canonical))
        steps += [Add(canonical, commit), Settle(canonical, commit)]
    steps.append(Publish(canonical))
    if old is not None and old != canonical:
        steps.append(Retire(old))
    return steps


def changes(steps: list[Step]) -> bool:
    """Return whether *steps* publish something."""
    return any(isinstance(step, Publish) for step in steps)
