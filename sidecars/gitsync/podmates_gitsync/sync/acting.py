"""The steps of a plan, done: trees made, let through the gate, published, retired."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from podmates_gitsync.errors import Refused
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.git.repository import Repository
from podmates_gitsync.hooks.change import Change, Hooks
from podmates_gitsync.hooks.runner import HookError
from podmates_gitsync.mirror.mirror import Mirror
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.sync.admission import Admission
from podmates_gitsync.sync.plan import Add, Advance, Drop, Publish, Retire, Settle, Step
from podmates_gitsync.trees import publish
from podmates_gitsync.trees.likeness import likeness
from podmates_gitsync.trees.worktrees import Worktrees

FAILURES = (GitError, OSError, HookError)  # what ends a sync as a failure; anything else is a fault of ours


class Actor:
    """Acts in one root."""

    def __init__(
        self,
        repository: Repository,
        trees: Worktrees,
        link: Path,
        *,
        git: Git,
        log: Log,
        hooks: Hooks,
        admission: Admission,
    ) -> None:
        self._repository, self._trees, self._link = repository, trees, link
        self._git, self._log, self._hooks, self._admission = git, log, hooks, admission
        self.waiting: Path | None = None  # a complete tree that we made, and that no link has named yet
        self._unfilled: Path | None = None  # one that is to become that
        self._admitted: Path | None = None  # the one of them that the gate let through
        self._left: bytes | None = None  # how we left the one that waits
        self._lent = False  # a hook that we do not wait for may work in it

    def apply(self, steps: Sequence[Step], change: Change, mirror: Mirror | None = None) -> None:
        """Act in order; the first failure ends it, and until `Publish` the link is untouched.

        Before the link names a tree the gate lets it through, and the mirror finds nothing in its way. The
        pre-publish hook that is not waited for starts when the last tree is made and not yet published.
        """
        try:
            self._apply(steps, change, mirror)
        except FAILURES:
            if self.waiting is not None and self.waiting == self._admitted:
                self._left = _seen(self.waiting)  # with the work of the gate
            raise

    def is_as_left(self) -> bool:
        """Return whether nobody but hooks worked in the tree that waits since we left it; walks that tree."""
        return self.waiting is not None and (self._lent or self._left == (_seen(self.waiting) or b""))

    def _apply(self, steps: Sequence[Step], change: Change, mirror: Mirror | None) -> None:
        last = max((n for n, step in enumerate(steps) if isinstance(step, Publish)), default=-1)
        for number, step in enumerate(steps):
            if isinstance(step, Publish):
                self._pass_gate(Path(step.tree), change)
                if mirror is not None:
                    mirror.prepare(Path(step.tree), change.commit, self._git.deadline)
            if number == last:
                self._lent = self._hooks.inside
                self._hooks.before(change)
            self._act(step)

    def _pass_gate(self, tree: Path, change: Change) -> None:
        """Ask the gate; the clock of the sync stands still meanwhile, for the gate has its own limit.

        It is asked once for a tree, also where what comes after it fails and is tried again.
        """
        if tree == self._admitted:
            return
        if self._admission.has_gate:  # one that is cut off may leave its work half done
            self._left = _seen(tree)
        began = time.monotonic()
        try:
            self._admission.gate(tree, change)
        except Refused:
            self._git.deadline += time.monotonic() - began
            self._discard(tree)
            raise
        self._git.deadline += time.monotonic() - began
        self._admitted = tree

    def _discard(self, tree: Path) -> None:
        """Remove a refused tree; that it cannot be is no reason to try the commit again."""
        try:
            self._drop(tree)
        except FAILURES as error:
            self._log.error(error, "cannot remove a refused tree", path=str(tree))

    def give_up(self) -> None:
        """Remove the tree that waits to be published: its space is needed.

        Raises:
            GitError, OSError
        """
        if self.waiting is not None and publish.read(self._link) != str(self.waiting):
            self._drop(self.waiting)

    def _drop(self, tree: Path) -> None:
        self._trees.drop(tree)
        if tree == self.waiting:
            self.waiting = self._admitted = None

    def _act(self, step: Step) -> None:
        match step:
            case Advance(commit):
                self._repository.advance(commit)
            case Drop(tree):
                self._drop(Path(tree))
            case Add(tree, commit):
                self._unfilled, self._admitted, self._lent = Path(tree), None, False
                self._trees.add(Path(tree), commit)
            case Settle(tree, commit):
                self._trees.settle(Path(tree), commit)
                if Path(tree) == self._unfilled:
                    self.waiting, self._unfilled = self._unfilled, None
            case Publish(tree):
                publish.publish(self._link, Path(tree))
                self.waiting = self._admitted = None
            case Retire(tree):
                self._trees.retire(Path(tree))


def _seen(tree: Path) -> bytes | None:
    """Return how *tree* looks; None where it cannot be looked at."""
    with contextlib.suppress(OSError):
        return likeness(tree)
    return None
