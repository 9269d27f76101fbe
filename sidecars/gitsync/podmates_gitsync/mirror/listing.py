"""What git has for each file of a tree: its index as git lists it, in; names that are safe to write, out."""

from __future__ import annotations

from typing import NamedTuple

WORDS = ("ls-files", "--stage", "-t", "-z", "--recurse-submodules")  # tag, mode, blob, stage, tab, path
MANIFEST = ".podmates-mirror"  # in the mirror itself; a file, because Tomcat would deploy a folder
TEMPORARY = ".podmates-mirror.tmp"  # beside whatever is written next
_SUBMODULE = 0o160000
_ABSENT = "S"  # in the index, and left out of the tree by a sparse checkout


class Entry(NamedTuple):
    """One file: git's mode (0o100644, 0o100755, 0o120000) and the name of its content."""

    mode: int
    blob: str


def listed(text: str) -> dict[str, Entry]:
    """Return path → entry of *text*, the output of git with `WORDS`; submodules are gone into.

    Raises:
        ValueError: there is a name that cannot be written into a mirror.
    """
    entries = {}
    for line in text.split("\0"):
        head, tab, path = line.partition("\t")
        if not tab:
            continue
        tag, mode, blob, _ = head.split(" ")
        if tag == _ABSENT or int(mode, 8) == _SUBMODULE:
            continue
        if not safe(path):
            raise ValueError(f"a file cannot be mirrored under its name: {path!r}")
        entries[path] = Entry(int(mode, 8), blob)
    return entries


def safe(path: str) -> bool:
    """Return whether *path* stays below where it is put, and is none of the names that we need."""
    parts = path.split("/")
    strange = {"", ".", "..", TEMPORARY}
    return not strange.intersection(parts) and parts[0] != MANIFEST and "\0" not in path


def folders(path: str) -> list[str]:
    """Return the folders above *path*, the outermost first; the mirror itself is not among them."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
