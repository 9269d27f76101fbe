"""The store of large files beside the repository: what no tree needs any more is removed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from podmates_gitsync.git import lfs
from podmates_gitsync.git.commands import Runner


def prune(root: Path, git: Runner, commits: Iterable[str]) -> int:
    """Remove what none of *commits* names; return how many files went.

    git-lfs's own pruning keeps whatever was not pushed: where no branch is a remote's, that is everything.

    Raises:
        GitError, OSError: nothing more was removed.
    """
    store = root / ".git" / "lfs" / "objects"
    if not store.is_dir():
        return 0
    needed: set[str] = set()
    for commit in commits:
        needed |= lfs.objects(git.run(["lfs", "ls-files", "--long", commit], root, whole=True))
    old = [path for path in store.glob("??/??/*") if path.name not in needed]
    for path in old:
        path.unlink()
    return len(old)
