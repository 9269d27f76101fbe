"""A pipe that a program is given, as by a shell's ``<(command)``: reading takes as long as a test wants."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.waiting import until


class Given:
    """A pipe in *folder*, for one program.

    Attributes:
        path: for who writes; opening it waits for the program.
        name: what the program reads. It comes to an end where nobody has the path open for writing.
        by: words to put in front of the program's own.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.name = folder / "given", "/dev/fd/3"
        os.mkfifo(self.path)
        self.by = ("sh", "-c", 'exec 3<"$0"; exec "$@"', str(self.path))

    def wait_read(self, pid: int) -> None:
        """Wait until the program has opened it to read."""
        until(lambda: self._opened(pid) > 1, what="it to read", ignoring=(OSError,))

    def _opened(self, pid: int) -> int:
        folder = Path(f"/proc/{pid}/fd")
        return sum(os.readlink(descriptor) == str(self.path) for descriptor in folder.iterdir())
