"""Whether a file was changed, by looking now and then: on any file system, and behind links that swap."""

from __future__ import annotations

import os
import stat


class Watched:
    """The file at *path*, or no file if that is empty."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._taken = self._seen = self._identity()

    def changed(self) -> bool:
        """Tell, once, that it is another than before; not while it is being written, nor when it is gone."""
        seen, before = self._identity(), self._seen
        self._seen = seen
        if seen is None or seen == self._taken or seen != before:
            return False
        self._taken = seen
        return True

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        if stat.S_ISFIFO(status.st_mode):  # one that we were given: what was in it is gone
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
