"""The manifest of a mirror: which files in it are ours, and how to know them again. Text in, text out.

A line per fact, appended before the deed: whoever reads it after a crash looks at the file itself to see
whether the deed was done. A last line without an end is one that was cut off, and counts as not written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from podmates_gitsync.mirror.listing import Entry, safe

_HEAD = ["podmates-mirror", 1]


class Stamp(NamedTuple):
    """How a file is known to be untouched, without reading it."""

    inode: int
    mtime: int  # ns
    size: int  # bytes
    mode: int  # what kind of file it is, and whether it can be executed


class Record(NamedTuple):
    """A file of ours: what git has for it, and how it looked when we had written it."""

    entry: Entry
    stamp: Stamp


@dataclass(slots=True)
class Manifest:
    """What is ours in a mirror.

    Attributes:
        files: path → record.
        folders: those that we made; we remove them when they are empty.
        pending: of a run that was cut off: what a path is by now if the deed was done; None for gone.
        unswept: folders in which that run may have left a temporary file.
        commit: the last that was mirrored completely.
    """

    files: dict[str, Record] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    pending: dict[str, Record | None] = field(default_factory=dict)
    unswept: set[str] = field(default_factory=set)
    commit: str = ""

    def settle(self) -> None:
        """Take everything that was pending for done."""
        for path, record in self.pending.items():
            if record is None:
                self.files.pop(path, None)
            else:
                self.files[path] = record
        self.pending.clear()


def begun(folders: Iterable[str]) -> str:
    """Return the line that says where temporary files may appear from now on."""
    return _line("begun", sorted(folders))


def put(path: str, record: Record) -> str:
    return _line("put", path, *record.entry, *record.stamp)


def dropped(path: str) -> str:
    return _line("dropped", path)


def made(folder: str) -> str:
    return _line("made", folder)


def unmade(folder: str) -> str:
    return _line("unmade", folder)


def ended(commit: str) -> str:
    """Return the line that says that all before it was done."""
    return _line("ended", commit)


def render(manifest: Manifest) -> str:
    """Return the whole text for *manifest*, which has nothing pending."""
    return "".join(_lines(manifest))


def _lines(manifest: Manifest) -> Iterator[str]:
    yield _line(*_HEAD)
    yield from (made(folder) for folder in sorted(manifest.folders))
    yield from (put(path, manifest.files[path]) for path in sorted(manifest.files))
    yield ended(manifest.commit)


def parse(text: str) -> Manifest:
    """Return what *text* says.

    Raises:
        ValueError: it is no manifest, or one that was damaged.
    """
    manifest = Manifest()
    lines = text.split("\n")[:-1]
    if not lines or json.loads(lines[0]) != _HEAD:
        raise ValueError("it does not begin as a manifest does")
    for line in lines[1:]:
        _take(manifest, json.loads(line))
    return manifest


def _take(manifest: Manifest, line: Any) -> None:
    match line:
        case ["put", str(path), int(mode), str(blob), *stamp] if safe(path) and _are_numbers(stamp):
            manifest.pending[path] = Record(Entry(mode, blob), Stamp(*stamp))
        case ["dropped", str(path)]:
            manifest.pending[path] = None
        case ["made", str(folder)] if safe(folder):
            manifest.folders.add(folder)
        case ["unmade", str(folder)]:
            manifest.folders.discard(folder)
        case ["begun", list(folders)] if all(_is_folder(name) for name in folders):
            manifest.unswept.update(folders)
        case ["ended", str(commit)]:
            manifest.settle()
            manifest.unswept.clear()
            manifest.commit = commit
        case _:
            raise ValueError(f"a line of it makes no sense: {str(line)[:80]}")


def _are_numbers(parts: list[Any]) -> bool:
    return len(parts) == len(Stamp._fields) and all(type(part) is int for part in parts)


def _is_folder(name: Any) -> bool:
    return isinstance(name, str) and (name == "" or safe(name))


def _line(*parts: Any) -> str:
    return json.dumps(parts, separators=(",", ":")) + "\n"
