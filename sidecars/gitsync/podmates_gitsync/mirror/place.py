"""Where a mirror may be: an empty directory, or one that holds our manifest, apart from root."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from podmates_gitsync.mirror.journal import MirrorError
from podmates_gitsync.mirror.listing import MANIFEST, TEMPORARY
from podmates_gitsync.mirror.tree import Tree

_NOT_COUNTED = {TEMPORARY, "lost+found"}  # what a crash of ours, or mkfs, leaves in an empty one
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF}
_STEP = 0.1  # seconds between two tries to get the lock


def make(given: str, root: Path) -> Path:
    """Return the directory *given*, resolved; it is made if it is missing.

    Raises:
        MirrorError: it cannot be a mirror.
        OSError: it cannot be made or looked at.
    """
    path = Path(os.path.abspath(given))
    path.mkdir(mode=0o775, parents=True, exist_ok=True)
    target = path.resolve(strict=True)
    if target == root or root in target.parents or target in root.parents:
        raise MirrorError(f"{target} and root, {root}, must not be one in the other")
    with Tree(target) as tree:
        check(tree, target)
    return target


def check(tree: Tree, target: Path) -> None:
    """Refuse a directory of somebody else's files.

    Raises:
        MirrorError: it is neither empty nor a mirror of ours.
    """
    names = set(os.listdir(tree.descriptor))
    if MANIFEST not in names and names - _NOT_COUNTED:
        raise MirrorError(f"{target} is neither empty nor a mirror of ours: it holds {min(names)!r}")


def enter(target: Path, deadline: float) -> Tree:
    """Open the mirror for us alone, as long as the result is open.

    Raises:
        MirrorError: another process had it until the deadline (on the monotonic clock).
        OSError
    """
    target.mkdir(mode=0o775, parents=True, exist_ok=True)
    tree = Tree(target)
    try:
        while not _lock(tree.descriptor):
            if time.monotonic() >= deadline:
                raise MirrorError(f"{target} is in use by another process")
            time.sleep(_STEP)  # flock has no deadline of its own
        check(tree, target)
    except BaseException:
        tree.close()
        raise
    return tree


def is_entered(tree: Tree, target: Path) -> bool:
    """Return whether *target* still is the directory that was entered."""
    try:
        ours, there = os.fstat(tree.descriptor), target.lstat()
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _lock(descriptor: int) -> bool:
    """Return whether the directory is ours now; a file system without locks counts as ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True
