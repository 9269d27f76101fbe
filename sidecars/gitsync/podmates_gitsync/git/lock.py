"""One writer per root: a lock that lives as long as we or any git that we started."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from podmates_gitsync.files.ours import ours
from podmates_gitsync.files.removal import remove


class RootLock:
    """``<root>/.git/podmates/lock``, held from the first loop on.

    git inherits the descriptor: a fetch outlives a parent that was killed, and until it has ended the
    files that it locked are not stale.

    Attributes:
        path: the file.
        certain: whether the file system has locks at all; where not, others may be at work while we hold it.
    """

    def __init__(self, root: Path) -> None:
        self.path = ours(root) / "lock"
        self.certain = True
        self._descriptor = -1

    @property
    def held(self) -> tuple[int, ...]:
        """The descriptor to be inherited; empty while the lock is not held."""
        return () if self._descriptor < 0 else (self._descriptor,)

    def take(self) -> bool:
        """Return whether the lock is ours now; on a file system without locks it always is.

        Raises:
            OSError: the file cannot be made.
        """
        if self._descriptor >= 0 and self._same_file():
            return True
        self.release()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_symlink() or self.path.is_dir():  # somebody's, and it would be in the way for ever
            remove(self.path)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError as error:
            if error.errno not in {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}:
                os.close(descriptor)
                raise
            self.certain = False
        self._descriptor = descriptor
        if not self._same_file():  # removed by somebody after we opened it
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the lock up; processes that inherited it still hold it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _same_file(self) -> bool:
        """The file could have been removed and made anew by somebody else."""
        try:
            ours, there = os.fstat(self._descriptor), self.path.stat()
        except OSError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
