"""Whether two files hold the same, and whether one holds what git has."""

from __future__ import annotations

import hashlib
import os

from podmates_gitsync.mirror.listing import Entry
from podmates_gitsync.mirror.tree import Tree, has_kind

_PIECE = 1 << 20  # bytes
_LINK = 0o120000


def is_blob(tree: Tree, path: str, entry: Entry) -> bool:
    """Return whether the file *path* has the kind and the content of *entry*.

    A file that git changes on its way into a tree (line ends, git-lfs) never has.

    Raises:
        OSError: it cannot be read.
    """
    status = tree.status(path)
    if status is None or not has_kind(status, entry):
        return False
    digest = hashlib.sha1(usedforsecurity=False) if len(entry.blob) == 40 else hashlib.sha256()
    if entry.mode == _LINK:
        text = os.fsencode(tree.target(path))
        digest.update(b"blob %d\0" % len(text) + text)
        return digest.hexdigest() == entry.blob
    digest.update(b"blob %d\0" % status.st_size)
    with tree.reading(path) as file:
        while piece := os.read(file, _PIECE):
            digest.update(piece)
    return digest.hexdigest() == entry.blob


def is_same(tree: Tree, other: Tree, path: str, entry: Entry) -> bool:
    """Return whether *path* is of *entry*'s kind in the first tree and has the same content in both.

    Raises:
        OSError: one cannot be read.
    """
    ours, theirs = tree.status(path), other.status(path)
    if ours is None or theirs is None or not has_kind(ours, entry) or not has_kind(theirs, entry):
        return False
    if entry.mode == _LINK:
        return tree.target(path) == other.target(path)
    if ours.st_size != theirs.st_size:
        return False
    with tree.reading(path) as one, other.reading(path) as two:
        while piece := os.read(one, _PIECE):
            if piece != os.read(two, _PIECE):  # a short read ends both: the sizes are equal
                return False
    return True
