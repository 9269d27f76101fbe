"""What keeps root usable: one owner, nothing of the dead in the way, room on a full disk."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path

from podmates_gitsync.files.scratch import Scratch
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.git.leftovers import Ages
from podmates_gitsync.git.lock import RootLock
from podmates_gitsync.git.repository import Repository
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.settings import Settings
from podmates_gitsync.trees import publish

CLEANING = 600.0  # seconds for a clean-up, at least
_LOCK_STEP = 0.1  # seconds between two tries to get the lock, which has no deadline of its own
# git's words for something in its way
_BLOCKED = re.compile(r"\.lock\b|cannot lock|but locked|(?:Not|Is) a directory")
_NO_SPACE = re.compile("no space left|disk quota exceeded", re.IGNORECASE)


def full(error: Exception) -> bool:
    """Return whether *error* is that of a full disk."""
    return _NO_SPACE.search(str(error)) is not None


class Upkeep:
    """Looks after the root of *repository*, before a sync and after one that failed.

    Args:
        waiting: is told True when another process has root, and False when it has left.
    """

    def __init__(
        self,
        repository: Repository,
        link: Path,
        settings: Settings,
        *,
        git: Git,
        log: Log,
        waiting: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._repository, self._link, self._settings = repository, link, settings
        self._root, self._git, self._log = repository.root, git, log
        self._lock, self._waiting = RootLock(self._root), waiting
        self._made_space_for: str | None = None  # what was wanted when the disk was full

    def went_well(self) -> None:
        """A sync went well: what is wanted fits."""
        self._made_space_for = None

    def own_root(self) -> float:
        """Have root to ourselves; return how many seconds that took, which no deadline counts."""
        began = time.monotonic()
        self._root.mkdir(parents=True, exist_ok=True)
        self._repository.clear_the_way()
        if not self._lock.take():
            self._log.info(0, "waiting for another process to leave root", path=str(self._lock.path))
            self._waiting(True)
            try:
                while not self._lock.take():
                    time.sleep(_LOCK_STEP)
            finally:
                self._waiting(False)
        self._git.held = self._lock.held
        return time.monotonic() - began

    def release(self) -> None:
        """Leave root to others."""
        self._lock.release()
        self._git.held = ()

    def heal(self, *, first: bool) -> None:
        """Remove what a killed process left, our own or a git.

        Args:
            first: this process has updated nothing yet, so that no hook of it can be at work in a worktree.

        Raises:
            OSError: something cannot be removed.
        """
        if first:
            publish.remove_leftovers(self._link)
            Scratch(self._root).clear()
        ages = Ages(self._lock.path, self._settings.sync_timeout)
        memory = self._repository.folder / "worktrees"

        def stale(path: Path) -> bool:
            sure = self._lock.certain and (first or memory not in path.parents or path.name == "locked")
            return sure or ages.over(path)

        removed = self._repository.remove_leftovers(worktrees=True, stale=stale)
        if removed:
            self._log.info(0, "removed stale locks of git", paths=removed)

    def was_in_the_way(self, error: Exception) -> bool:
        """Return whether a sync that failed without a close look at root can do better with one."""
        if time.monotonic() > self._git.deadline:
            return False
        return bool(_BLOCKED.search(str(error))) or not self._repository.is_sound()

    def tidy(self, error: Exception, *, wanted: str, first: bool) -> None:
        """Remove what a sync that failed with *error* left: on a full disk that is what fills it.

        Args:
            error: what it failed with.
            wanted: the commit that was fetched; empty when that failed.
            first: see `heal`.

        Raises:
            GitError, OSError
        """
        self.heal(first=first)
        if full(error) and self._made_space_for != wanted:
            self._made_space_for = wanted
            self._make_space(wanted)
            self.heal(first=first)  # to collect takes space, too

    def _make_space(self, wanted: str) -> None:
        """Drop what was fetched of commits that nobody wants any more.

        A commit that was fetched and did not fit leaves its objects, and no sync that goes well clears up.
        """
        self._git.deadline = time.monotonic() + max(self._settings.sync_timeout, CLEANING)
        published = publish.read(self._link)
        if not wanted and published:
            self._repository.advance(Path(published).name)  # the branch holds the last one that did not fit
        self._repository.prune()
        with contextlib.suppress(GitError, OSError):
            self._repository.collect_garbage(self._settings.git_gc, at_once=True)
