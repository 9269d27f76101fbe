"""The repositories of submodules, taken over from one tree's folder in the repository into another's.

git keeps them for each worktree apart, so each new one would clone them anew. Objects never change and are
linked; the rest is copied, because git writes in place in some of it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from podmates_gitsync.files.plain import content
from podmates_gitsync.files.removal import remove

FOLDER = "modules"
# Of the old tree only: what is checked out, who works on it, what happened to it.
_LEFT_OUT = frozenset({"index", "worktrees", "logs", "FETCH_HEAD", "ORIG_HEAD"})
_DEEPEST = 250  # parts of a path: a submodule may have any name, and each folder in it is a call in a call


def take_over(old: Path, new: Path, *, nested: bool) -> None:
    """Give the worktree folder *new*, which has none, the submodules of *old*.

    Args:
        old: a worktree's folder in the repository.
        new: another's.
        nested: take the submodules of submodules, too; those may come from elsewhere as soon as a submodule
            is at another commit.

    Raises:
        OSError: not all could be taken over; then none are.
    """
    if not (old / FOLDER).is_dir():
        return
    try:
        _copy(old / FOLDER, new / FOLDER, nested=nested, inside=False)
    except OSError:
        with contextlib.suppress(OSError):
            remove(new / FOLDER)
        raise


def _copy(old: Path, new: Path, *, nested: bool, inside: bool) -> None:
    """Copy a folder; *inside* tells whether it is part of a repository, or only leads to some."""
    _make(new)
    inside = inside or (old / "HEAD").is_file()
    for entry in list(os.scandir(old)):
        target = new / entry.name
        if entry.is_symlink():
            raise OSError(f"a link among submodules: {entry.path}")
        if inside and (entry.name in _LEFT_OUT or entry.name.endswith(".lock")):
            continue
        if entry.is_dir():
            if inside and entry.name == "objects":
                _link(Path(entry.path), target)
            elif inside and entry.name == FOLDER:
                if nested:
                    _copy(Path(entry.path), target, nested=True, inside=False)
            else:
                _copy(Path(entry.path), target, nested=nested, inside=inside)
        elif entry.name == "config" and not nested:
            config = os.fsdecode(content(Path(entry.path)))
            target.write_bytes(os.fsencode(without_submodules(config)))
        else:
            shutil.copyfile(entry.path, target)


def _make(folder: Path) -> None:
    if len(folder.parts) > _DEEPEST:
        raise OSError(f"folders of submodules that are deeper than {_DEEPEST}")
    folder.mkdir()


def _link(old: Path, new: Path) -> None:
    _make(new)
    for entry in list(os.scandir(old)):
        if entry.is_dir(follow_symlinks=False):
            _link(Path(entry.path), new / entry.name)
        elif entry.is_file(follow_symlinks=False):
            os.link(entry.path, new / entry.name)
        else:
            raise OSError(f"no file among objects: {entry.path}")


def without_submodules(config: str) -> str:
    """Return a repository's configuration without what it knows of submodules."""
    kept, keep = [], True
    for line in config.splitlines(keepends=True):
        if line.startswith("["):
            keep = not line.lower().startswith("[submodule")
        if keep:
            kept.append(line)
    return "".join(kept)
