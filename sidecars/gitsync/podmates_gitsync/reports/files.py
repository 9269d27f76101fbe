"""Two files for other programs to look at: the last error, and the time of the last change."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


class ErrorFile:
    """Holds the last error as JSON, or a fault of the settings as text; absent while all is well.

    A trouble with the file itself is nobody's business but the log's, where the error is anyway.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def observe(self, message: str, error: str | None, pairs: dict[str, Any]) -> None:
        """Write an error line of the log."""
        self.write(json.dumps({"Msg": message, "Err": error, "Args": pairs}, default=str, indent=1) + "\n")

    def write(self, text: str) -> None:
        """Replace the file in one step."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix="tmp-err-", dir=self._path.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                    os.fchmod(file.fileno(), 0o644)
                    file.write(text)
                os.replace(name, self._path)
            except OSError:  # on a full disk of all: leave nothing behind
                os.unlink(name)

    def delete(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()


def touch(path: Path) -> None:
    """Create *path* or set its times to now.

    Raises:
        OSError
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def error_file(root: str, name: str) -> ErrorFile | None:
    """Return the error file, if one is configured; a relative one is below root as it was given."""
    return ErrorFile(Path(os.path.abspath(root)) / name) if name else None
