"""The steps of a plan, done: each file is written beside its place and renamed there."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterable

from podmates_gitsync.mirror import records
from podmates_gitsync.mirror.journal import Journal, MirrorError, create, remove_temporary
from podmates_gitsync.mirror.listing import TEMPORARY, folders
from podmates_gitsync.mirror.look import Sight
from podmates_gitsync.mirror.plan import Adopt, Clear, Drop, Forget, Prune, Put, Step
from podmates_gitsync.mirror.records import Record
from podmates_gitsync.mirror.tree import Blocked, Tree, stamp

_PIECE = 1 << 20  # bytes
_NO_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM}
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}
_LINK = 0o120000


class Writer:
    """Brings the mirror *target* from what was seen to what *source* has.

    Every deed is in the journal before it is done.
    """

    def __init__(self, target: Tree, source: Tree, journal: Journal, sight: Sight) -> None:
        self._target, self._source, self._journal, self._sight = target, source, journal, sight
        self._manifest = journal.manifest

    def run(self, steps: Iterable[Step], deadline: float) -> None:
        """Do *steps* in order.

        Raises:
            MirrorError: the deadline passed, or somebody changed a file while we worked.
            OSError
        """
        for step in steps:
            if time.monotonic() >= deadline:
                raise MirrorError("the time for the sync was over before the mirror was done")
            match step:
                case Put(path):
                    self._put(path)
                case Adopt(path):
                    self._remember(path, Record(self._sight.facts.new[path], self._sight.stamps[path]))
                case Drop(path):
                    self._drop(path)
                case Forget(path):
                    self._forget(path)
                case Clear(folder):
                    self._clear(folder)
                case Prune(folder):
                    self._prune(folder)

    def _put(self, path: str) -> None:
        entry = self._sight.facts.new[path]
        folder, name = self._parent(path)
        try:
            if entry.mode == _LINK and self._is_link(path):
                remove_temporary(folder)
                os.symlink(self._source.target(path), TEMPORARY, dir_fd=folder)
            else:
                self._copy(path, folder, 0o777 if entry.mode & 0o100 else 0o666)
            written = stamp(os.stat(TEMPORARY, dir_fd=folder, follow_symlinks=False))
            self._unchanged(path, folder, name)
            self._remember(path, Record(entry, written))
            os.rename(TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                remove_temporary(folder)
            raise

    def _is_link(self, path: str) -> bool:
        """A link of the repository is an ordinary file where the file system of root knows none."""
        status = self._source.status(path)
        return status is not None and stat.S_ISLNK(status.st_mode)

    def _copy(self, path: str, folder: int, mode: int) -> None:
        with self._source.reading(path) as source:
            target = create(folder, mode)
            try:
                copy(source, target)
            finally:
                os.close(target)

    def _remember(self, path: str, record: Record) -> None:
        self._journal.append(records.put(path, record))
        self._manifest.files[path] = record

    def _forget(self, path: str) -> None:
        self._journal.append(records.dropped(path))
        self._manifest.files.pop(path, None)

    def _unchanged(self, path: str, folder: int, name: str) -> None:
        """Look once more, just before what was seen goes away.

        Raises:
            MirrorError: it is not what the plan was made for.
        """
        try:
            now = stamp(os.stat(name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            now = None
        if now != self._sight.stamps.get(path):
            raise MirrorError(f"somebody changed {path} in the mirror meanwhile")

    def _parent(self, path: str) -> tuple[int, str]:
        """Return where *path* goes; folders on the way are made."""
        with contextlib.suppress(FileNotFoundError):
            return self._target.parent(path)
        for folder in folders(path):
            if self._target.status(folder) is None:
                self._journal.append(records.made(folder))
                self._manifest.folders.add(folder)
                above, name = self._target.parent(folder)
                os.mkdir(name, dir_fd=above)
        return self._target.parent(path)

    def _drop(self, path: str) -> None:
        folder, name = self._target.parent(path)
        self._unchanged(path, folder, name)
        self._forget(path)
        os.unlink(name, dir_fd=folder)

    def _clear(self, folder: str) -> None:
        """Remove an empty folder and those in it; a file in one is an error, and stays."""
        for inner in reversed(list(_folders_in(self._target, folder))):
            self._remove_folder(inner)

    def _prune(self, folder: str) -> None:
        try:
            self._remove_folder(folder)
        except (FileNotFoundError, Blocked, NotADirectoryError):
            self._unmade(folder)
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise

    def _remove_folder(self, folder: str) -> None:
        above, name = self._target.parent(folder)
        os.rmdir(name, dir_fd=above)
        self._target.forget()
        self._unmade(folder)

    def _unmade(self, folder: str) -> None:
        self._journal.append(records.unmade(folder))
        self._manifest.folders.discard(folder)


def copy(source: int, target: int) -> None:
    """Copy a regular file from where its descriptor is; by the kernel where it can.

    Raises:
        OSError
    """
    try:
        while os.copy_file_range(source, target, _PIECE * 64):
            pass
    except OSError as error:
        if error.errno not in _NO_COPY:
            raise
    while piece := os.read(source, _PIECE):
        data = memoryview(piece)
        while data:
            data = data[os.write(target, data) :]


def _folders_in(tree: Tree, folder: str) -> Iterable[str]:
    """Return *folder* and all folders in it, outer ones first."""
    found, number = [folder], 0
    while number < len(found):
        for name in sorted(os.listdir(tree.folder(found[number]))):
            status = tree.status(f"{found[number]}/{name}")
            if status is not None and stat.S_ISDIR(status.st_mode):
                found.append(f"{found[number]}/{name}")
        number += 1
    return found
