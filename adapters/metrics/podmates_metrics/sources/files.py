"""Files as a source: read again when they have changed, left out when they are too old."""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Iterator

from podmates_common.files import TooLarge, read_small
from podmates_metrics.background import aside
from podmates_metrics.native.pulls import Files, Pull
from podmates_metrics.sources.asking import Answer, SourceProblem
from podmates_metrics.statsd.engine import Totals

MAX_FILES = 1000  # of one source


class FilesWay:
    """All files that some patterns match."""

    def __init__(self, pull: Pull, files: Files) -> None:
        self._pull, self._files = pull, files
        self._seen: tuple[object, ...] = ()  # what the files of the last answer were

    async def fetch(self) -> Answer:
        """Return the files' content; what is wrong with one of them leaves the others."""
        return await aside(self._look, f"files {self._pull.name}")

    def _look(self) -> Answer:
        before, self._seen = self._seen, ()
        marks: list[object] = []
        problems: list[str] = []
        found: list[str] = []
        for path in self._paths(problems):
            try:
                mark = self._mark(path)
            except SourceProblem as error:
                problems.append(str(error))
                marks.append(str(error))
            else:
                found.append(path)
                marks.append((path, mark))
        problem = problems[0] if problems else ""
        if tuple(marks) == before:
            self._seen = before
            return Answer((), problem, same=True)
        bodies = self._read(found, problems)
        if len(bodies) == len(found):
            self._seen = tuple(marks)
        return Answer(list(bodies.items()), problems[0] if problems else "")

    def _paths(self, problems: list[str]) -> list[str]:
        found = sorted({path for pattern in self._files.paths for path in _expand(pattern)})
        if not found:
            raise SourceProblem("no file is there")
        if len(found) > MAX_FILES:
            problems.append(f"more than {MAX_FILES} files")
        return found[:MAX_FILES]

    def _mark(self, path: str) -> tuple[int, ...]:
        """Return what changes when the file does. Raises SourceProblem: it cannot be used."""
        try:
            seen = os.stat(path)
        except OSError as error:
            raise SourceProblem(f"{path}: {error.strerror}") from None
        if not stat.S_ISREG(seen.st_mode):
            raise SourceProblem(f"{path}: not a file")
        most = self._pull.stale_after
        if most and time.time() - seen.st_mtime > most:
            raise SourceProblem(f"{path}: not written for more than {most:g} s")
        return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)

    def _read(self, paths: list[str], problems: list[str]) -> dict[str, bytes]:
        bodies: dict[str, bytes] = {}
        room = self._pull.max_size
        for path in paths:
            try:
                body = _content(path, room)
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
                continue
            if body is None:  # others may be small enough
                problems.append(f"{path}: the files are larger than {self._pull.max_size} bytes")
                continue
            room -= len(body)
            bodies[path] = body
        return bodies

    async def close(self) -> None:
        """No file stays open."""

    def totals(self) -> Totals:
        return {}


def _expand(pattern: str) -> Iterator[str]:
    """Yield what a pattern matches now, at most one more than are allowed; a plain name is itself."""
    if not glob.has_magic(pattern):
        yield pattern
        return
    for number, path in enumerate(glob.iglob(pattern, recursive=True)):
        if number > MAX_FILES:
            return
        yield path


def _content(path: str, most: int) -> bytes | None:
    """Return the file, None if it is larger than allowed."""
    try:
        return read_small(path, most)
    except TooLarge:
        return None
