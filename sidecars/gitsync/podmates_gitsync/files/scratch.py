"""Temporary files of ours and of git's helpers, below ``<root>/.git/podmates``: root is always writable."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from podmates_gitsync.files.ours import ours
from podmates_gitsync.files.removal import remove


class Scratch:
    """A folder for files that live for one command or hook."""

    def __init__(self, root: Path) -> None:
        self.folder = ours(root) / "tmp"

    def clear(self) -> None:
        """Remove what killed processes left; the caller is the only writer of root."""
        with contextlib.suppress(OSError):
            remove(self.folder)

    def made(self) -> Path:
        """Return the folder, which is there.

        Raises:
            OSError
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    @contextlib.contextmanager
    def file(self, data: bytes = b"") -> Iterator[Path]:
        """Yield a file with *data* that only our user can read; it is gone afterwards.

        Raises:
            OSError: it cannot be made.
        """
        descriptor, name = tempfile.mkstemp(dir=self.made())
        path = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            yield path
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
