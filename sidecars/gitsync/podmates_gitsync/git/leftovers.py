"""What a killed git leaves in ``.git``: locks that wedge the next one, and files that nobody removes.

The caller owns root: no git of ours runs, and nobody else's can, except where the file system has no locks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from podmates_gitsync.files.ours import OURS
from podmates_gitsync.files.removal import remove

_WORKTREES = "worktrees"
# A lock of anything; the pid of a collector, which a process of today may have again; what packs the refs;
# what makes a history shallow for the length of one command.
_ANYWHERE = re.compile(r".+\.lock|gc\.pid|packed-refs\.new|shallow_[A-Za-z0-9]{6}")
_OBJECTS = re.compile(r"tmp_.+|incoming-.+")  # unfinished objects and packs
_SHAPES = {"FETCH_HEAD": stat.S_ISREG, _WORKTREES: stat.S_ISDIR, "refs": stat.S_ISDIR}
_LOCKED = "locked"  # in the memory of a worktree: git was about to add it, and neither prunes nor adds it now


def remove_leftovers(
    folder: Path, *, worktrees: bool, stale: Callable[[Path], bool] = lambda path: True
) -> list[str]:
    """Remove what is in the way and return it.

    Args:
        folder: ``.git``.
        worktrees: also locks in the memory of the worktrees; not while hooks run, which may use git there.
        stale: is asked of each that git could have made.

    Raises:
        OSError: something cannot be removed.
    """
    removed = []
    for path in [*_find(folder, worktrees=worktrees), *_misshapen(folder)]:
        with contextlib.suppress(FileNotFoundError):
            if _is_unusable(path) or stale(path):
                remove(path)
                removed.append(str(path))
    return removed


def _find(folder: Path, *, worktrees: bool) -> Iterator[Path]:
    waiting = [(str(folder), tuple[str, ...]())]  # a name may be deep, and in Python 3.11 os.walk recurses
    while waiting:
        base, place = waiting.pop()
        hands_off = place[:1] == (_WORKTREES,) and not worktrees
        for entry in _entries(base):
            if _unwanted(entry.name, place, hands_off=hands_off) or _is_odd(entry):
                yield Path(entry.path)
            elif entry.is_dir(follow_symlinks=False) and (*place, entry.name) != (OURS,):
                waiting.append((entry.path, (*place, entry.name)))


def _is_odd(entry: os.DirEntry[str]) -> bool:
    with contextlib.suppress(OSError):  # of a link that leads nowhere
        if entry.is_file() or entry.is_dir():
            return False
    return _is_unusable(Path(entry.path))


def _is_unusable(path: Path) -> bool:
    """Return whether git would wait for it, a pipe or a device, or cannot even open it: a link to itself."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return error.errno == errno.ELOOP
    device = stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
    # The one that is at its end at once serves as an empty file.
    return stat.S_ISFIFO(mode) or (device and not path.samefile(os.devnull))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []


def _misshapen(folder: Path) -> Iterator[Path]:
    """Yield what somebody put where git has a file or a directory: git finds all well, and fails for ever."""
    for name, right in _SHAPES.items():
        with contextlib.suppress(OSError):
            if not right((folder / name).lstat().st_mode):
                yield folder / name


def _unwanted(name: str, place: tuple[str, ...], *, hands_off: bool) -> bool:
    if name == _LOCKED and len(place) == 2 and place[0] == _WORKTREES:
        return True
    if hands_off:
        return False
    return bool(_ANYWHERE.fullmatch(name) or ("objects" in place and _OBJECTS.fullmatch(name)))


class Ages:
    """Tells whether a file was left long ago, by the clock of the file system that it is on.

    Args:
        clock: a file of ours on the same file system.
        limit: seconds.
    """

    def __init__(self, clock: Path, limit: float) -> None:
        self._clock, self._limit = clock, limit

    def over(self, path: Path) -> bool:
        """Return whether *path* is older than the limit.

        One from the future, because a clock was put back, starts to age now.

        Raises:
            OSError: it is gone, or the file system takes no changes.
        """
        os.utime(self._clock)
        age = self._clock.stat().st_mtime - path.lstat().st_mtime
        if age < 0:
            os.utime(path, follow_symlinks=False)
        return age > self._limit
