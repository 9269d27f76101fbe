"""Our own folder in a repository's ``.git``: what one process leaves there, for itself and for the next."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from podmates_gitsync.files.plain import put

OURS = "podmates"


def ours(root: Path) -> Path:
    """Return the folder, which need not be there."""
    return root / ".git" / OURS


def remember(path: Path, text: str) -> None:
    """Replace the file *path* by *text* in one step; where that cannot be, the old one stays.

    What is remembered is an aid: a process has to get on without it.
    """
    fresh = path.with_name(f"{path.name}.new")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        put(fresh, text.encode(errors="replace"))
        os.replace(fresh, path)
