"""The manifest as a file in the mirror: read, appended to before each deed, written anew at each start."""

from __future__ import annotations

import os

from podmates_gitsync.mirror import records
from podmates_gitsync.mirror.listing import MANIFEST, TEMPORARY
from podmates_gitsync.mirror.records import Manifest
from podmates_gitsync.mirror.tree import Tree

_LARGEST = 1 << 30  # bytes of a manifest that we are willing to read
_SLACK = 1000  # lines beyond one a file before it is written anew


class MirrorError(OSError):
    """The mirror cannot be brought up to date; the text says why."""


class Journal:
    """The manifest of the mirror *tree*.

    Args:
        mode: of the file, before the umask.
    """

    def __init__(self, tree: Tree, mode: int) -> None:
        self._tree, self._mode = tree, mode
        self._file = -1
        self._lines = 0
        self.manifest = Manifest()

    def exists(self) -> bool:
        return self._tree.status(MANIFEST) is not None

    def read(self) -> None:
        """Read it, if there is one.

        Raises:
            MirrorError: it is damaged.
            OSError: it cannot be read.
        """
        if not self.exists():
            return
        with self._tree.reading(MANIFEST) as file, os.fdopen(os.dup(file), "rb") as stream:
            data = stream.read(_LARGEST)
        try:
            text = data.decode()
            self.manifest = records.parse(text)
        except (ValueError, RecursionError) as error:
            raise MirrorError(f"{MANIFEST} in the mirror is damaged: {error}") from None
        self._lines = text.count("\n")

    def open(self) -> None:
        """Make ready to append: a file that is missing, long, or was cut off is written anew.

        The caller has settled what was pending.

        Raises:
            OSError
        """
        lines = len(self.manifest.files) + len(self.manifest.folders)
        if not self.exists() or self._lines > 2 * lines + _SLACK or self._file < 0:
            self.rewrite()

    def rewrite(self) -> None:
        """Write the whole manifest beside its place and rename it there.

        Raises:
            OSError: the old one is as it was.
        """
        text = records.render(self.manifest)
        file = create(self._tree.descriptor, self._mode)
        try:
            _write(file, text)
            os.rename(TEMPORARY, MANIFEST, src_dir_fd=self._tree.descriptor, dst_dir_fd=self._tree.descriptor)
        except BaseException:
            os.close(file)
            remove_temporary(self._tree.descriptor)
            raise
        self.close()
        self._file, self._lines = file, text.count("\n")

    def append(self, line: str) -> None:
        """Add a line; whatever it is about happens after this.

        Raises:
            OSError
        """
        _write(self._file, line)
        self._lines += 1

    def is_in_place(self) -> bool:
        """Return whether the file that is being appended to is still the manifest."""
        status = self._tree.status(MANIFEST)
        if self._file < 0 or status is None:
            return False
        ours = os.fstat(self._file)
        return (ours.st_dev, ours.st_ino, ours.st_size) == (status.st_dev, status.st_ino, status.st_size)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def create(folder: int, mode: int) -> int:
    """Return a descriptor of a new temporary file in *folder*; one that was left there is removed.

    Raises:
        OSError
    """
    remove_temporary(folder)
    return os.open(
        TEMPORARY,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
        mode,
        dir_fd=folder,
    )


def remove_temporary(folder: int) -> None:
    """Remove the temporary file in *folder*, if there is one.

    Raises:
        OSError: there is one, and it cannot be removed.
    """
    try:
        os.unlink(TEMPORARY, dir_fd=folder)
    except FileNotFoundError:
        return


def _write(file: int, text: str) -> None:
    data = memoryview(text.encode())
    while data:
        data = data[os.write(file, data) :]
