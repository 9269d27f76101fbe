"""Whether a sync can end before it fetches: all is as the last one left it, and the remote says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from podmates_gitsync.trees.worktrees import Worktrees


class Polls(Protocol):
    """Asks the remote; see `polling.poller`."""

    def names_still(self, commit: str, deadline: float) -> bool: ...
    def fetches(self) -> None: ...
    def close(self) -> None: ...


class News:
    """Remembers how the last sync ended.

    Args:
        poller: None for one that never knows, so that each sync fetches.
    """

    def __init__(self, trees: Worktrees, poller: Polls | None) -> None:
        self._trees, self._poller = trees, poller
        self._published: str | None = None  # where the link pointed
        self.commit = ""  # what the ref named

    def remember(self, published: str | None, commit: str) -> None:
        """A sync ended well: the ref names *commit*, and the link points to *published*."""
        self._published, self.commit = published, commit

    def none(self, published: str | None, deadline: float) -> bool:
        """Return whether there is nothing to do; only to be asked after a sync that went well.

        The remote's word only ever leaves a fetch out: anything else is found out by a fetch.
        """
        if self._poller is None or published is None or published != self._published:
            return False
        tree = Path(published)
        return self._trees.looks_sound(tree, tree.name) and self._poller.names_still(self.commit, deadline)

    def fetched(self) -> None:
        """Count a sync that fetches."""
        if self._poller is not None:
            self._poller.fetches()

    def close(self) -> None:
        """End the connection to the remote."""
        if self._poller is not None:
            self._poller.close()
