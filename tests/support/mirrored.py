"""What is in a mirror, as its readers see it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from podmates_gitsync.mirror.listing import MANIFEST
from tests.support.moving import below


def content(folder: Path) -> dict[str, str]:
    """Return path → text of every file below *folder* but git's and our own; a link's text has an arrow.

    One that goes away meanwhile, as what is being written does, is left out.
    """
    found = {}
    for path in below(folder):
        name = str(path.relative_to(folder))
        if name == MANIFEST or ".git" in path.relative_to(folder).parts:
            continue
        with contextlib.suppress(FileNotFoundError):
            if path.is_symlink():
                found[name] = f"→ {os.readlink(path)}"
            elif path.is_file():
                found[name] = path.read_text()
    return found


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return path → (inode, mtime in ns, mode) of the same files: equal for one that nobody touched."""
    looks = {name: (folder / name).lstat() for name in content(folder)}
    return {name: (look.st_ino, look.st_mtime_ns, look.st_mode) for name, look in looks.items()}
