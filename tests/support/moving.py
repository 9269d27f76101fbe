"""Folders and files that a running process changes or looks at meanwhile."""

from __future__ import annotations

import contextlib
import fnmatch
import os
from pathlib import Path


def below(folder: Path, pattern: str = "*") -> list[Path]:
    """Return the paths anywhere below *folder* whose names match *pattern*; links are not followed.

    One that comes or goes meanwhile may be among them or not. A folder that is not there has nothing below.
    `Path.rglob` raises instead, on Pythons before 3.13, when a folder goes away between two of its looks.
    """
    found = []
    for base, folders, names in os.walk(folder):
        found += [Path(base, name) for name in fnmatch.filter([*folders, *names], pattern)]
    return found


def put(file: Path, content: str | bytes) -> None:
    """Write *file* at one stroke: who reads it meanwhile has all of the old content or all of the new."""
    fresh = file.parent / ".new"
    fresh.write_bytes(content.encode() if isinstance(content, str) else content)
    fresh.rename(file)


def files_below(folder: Path) -> list[Path]:
    """Return those of `below` that are files, or links to some, at a second look."""
    return [path for path in below(folder) if path.is_file()]


def descriptors(pid: int) -> list[str]:
    """Return what each open descriptor of a running process is, as the kernel names it; see proc(5)."""
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(path))
    return found
