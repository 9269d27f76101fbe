"""Those who follow the link, told in order: the mirror first, then hooks; what fails is owed to them."""

from __future__ import annotations

from pathlib import Path

from podmates_gitsync.git.commands import Git
from podmates_gitsync.git.refs import is_hash
from podmates_gitsync.git.repository import Repository
from podmates_gitsync.hooks.change import LONGEST, Change, Hooks
from podmates_gitsync.mirror.mirror import Mirror


class Telling:
    """Tells of one root.

    Args:
        mirror: follows what is published, before anybody is told.
    """

    def __init__(self, repository: Repository, hooks: Hooks, mirror: Mirror | None, git: Git) -> None:
        self._repository, self._hooks, self._mirror, self._git = repository, hooks, mirror, git
        self._untold: Change | None = None  # what the link names, and neither mirror nor hooks know yet

    def recall(self, published: str) -> None:
        """Find out what an earlier process published and did not come to tell.

        Args:
            published: the name of the tree that the link names; empty for none.
        """
        told = self._hooks.told()
        if self._untold is None and told != published and is_hash(told) and is_hash(published):
            self._untold = self.change(published, told)

    def change(self, commit: str, local: str) -> Change:
        """Return what hooks are told; the old commit's objects go with its tree, so it is looked up now.

        Args:
            local: the name of the tree before; empty for none.
        """
        previous = local if is_hash(local) else ""
        known = self._hooks.wanted and previous not in {"", commit}
        files = self._repository.changed(previous, commit, longest=LONGEST) if known else None
        return Change(commit, previous, files)

    def is_behind(self, commit: str) -> bool:
        """Return whether the mirror does not hold *commit*, which is to be published."""
        return self._mirror is not None and not self._mirror.holds(commit)

    def tell(self, tree: Path, change: Change) -> None:
        """Have everybody where the link is; what fails here is owed to them until it is done.

        Raises:
            GitError, OSError: the mirror cannot follow.
        """
        self._untold = change = change.including(self._untold)
        if self._mirror is not None:
            self._mirror.bring(tree, change.commit, self._git.deadline)
        self._untold = None
        self._hooks.after(change)

    def catch_up(self, tree: Path, commit: str) -> None:
        """Do for what stays published what is still owed: the commit that would have come next is refused.

        Raises:
            GitError, OSError: as for `tell`.
        """
        if is_hash(commit) and self.is_behind(commit):
            self.tell(tree, Change(commit, commit))

    def close(self) -> None:
        """Leave the mirror to others."""
        if self._mirror is not None:
            self._mirror.close()
