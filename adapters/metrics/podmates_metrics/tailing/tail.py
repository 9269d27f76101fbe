"""Log files as they grow: every look reads what is new, through renaming, truncation and swapped links."""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from podmates_metrics.tailing.following import MARK, Followed, Following, Key, Place, Seen, Start

MAX_FILES = 1000  # of one log
_CHUNK = 1 << 16  # bytes
_TURN = 1 << 22  # bytes of one file at one look: no file holds up the others
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")

Take = Callable[[str, frozenset[str]], None]  # a line, and the names of its file


class Tail:
    """Reads the files that patterns match. *problem* is what was wrong at the last look; empty: nothing.

    Args:
        patterns: of absolute paths.
        following: what is known of the files.
    """

    def __init__(self, patterns: tuple[str, ...], following: Following) -> None:
        self.following = following
        self.problem = ""
        self.cut = 0  # too long lines of files that are closed
        self._patterns = patterns
        self._open: dict[Key, int] = {}  # file descriptors

    def look(self, now: float, take: Take) -> bool:
        """Give every new line to *take*; return whether there is more to read at once."""
        self.problem = ""
        names = self._names()
        for key, some in self.following.look(names).items():
            self._begin(key, some, now)
        self.following.begun = True
        if not names and not self.problem:
            self.problem = "no file is there"
        more = [self._read(followed, now, take) for followed in list(self.following.files.values())]
        return any(more)

    def turn(self, patterns: tuple[str, ...], start: Start, saved: Mapping[Key, Place] | None) -> None:
        """Look for *patterns* from now on. Files of before that they lead to are read on where they are;
        further ones are begun by *start* and *saved*, as all were at first.
        """
        if patterns == self._patterns:
            return
        if self.following.begun:  # what came since the last look is new, not there since the start
            for key, some in self.following.look(self._names()).items():
                self._begin(key, some, time.monotonic())
        self._patterns = patterns
        wanted = set(self._names().values())
        for followed in list(self.following.files.values()):
            # A renamed one has no name that can be looked up, and may not be read to its end yet.
            if followed.key not in wanted and not any(
                matches(name, pattern) for name in followed.names for pattern in patterns
            ):
                self._let_go(followed)
        self.following = self.following.other(start, saved)

    def _names(self) -> dict[str, Key]:
        names: dict[str, Key] = {}
        for path in _expand(self._patterns):
            try:
                seen = os.stat(path)
            except OSError as error:
                if not isinstance(error, FileNotFoundError):
                    self.problem = f"{path}: {error.strerror}"
                continue
            if not stat.S_ISREG(seen.st_mode):
                self.problem = f"{path}: not a file"
            elif len(names) >= MAX_FILES:
                self.problem = f"more than {MAX_FILES} files"
            else:
                names[path] = Key(seen.st_dev, seen.st_ino)
        return names

    def _begin(self, key: Key, names: frozenset[str], now: float) -> None:
        path = min(names)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self.problem = f"{path}: {error.strerror}"
            return
        found = os.fstat(descriptor)
        if Key(found.st_dev, found.st_ino) != key or not stat.S_ISREG(found.st_mode):
            os.close(descriptor)  # another one took its place between two steps; the next look sees it
            return
        seen = _seen(descriptor)
        last = os.pread(descriptor, 1, max(seen.size - 1, 0))
        self.following.opened(key, names, seen, last=last, now=now)
        self._open[key] = descriptor

    def _read(self, followed: Followed, now: float, take: Take) -> bool:
        descriptor, lines = self._open[followed.key], 0
        try:
            seen = _seen(descriptor)
            self.following.check(followed, seen)
            while lines < _TURN and (data := os.pread(descriptor, _CHUNK, followed.offset)):
                followed.offset += len(data)
                followed.read = now
                lines += len(data)
                for line in followed.lines.feed(data):
                    take(line, followed.names)
        except OSError as error:
            self.problem = f"{min(followed.names)}: {error.strerror}"
            return False
        if not lines:
            over = self.following.over(followed, seen, now)
            if over or self.following.ended(followed, now):
                for line in followed.lines.rest():
                    take(line, followed.names)
            if over:
                self._let_go(followed)
        return lines >= _TURN

    def _let_go(self, followed: Followed) -> None:
        self.cut += followed.lines.cut
        self.following.let_go(followed)
        os.close(self._open.pop(followed.key))

    @property
    def cut_lines(self) -> int:
        """How many lines were too long."""
        return self.cut + sum(followed.lines.cut for followed in self.following.files.values())

    def close(self) -> None:
        """Let go of all files."""
        while self._open:
            os.close(self._open.popitem()[1])


def _expand(patterns: tuple[str, ...]) -> Iterator[str]:
    """Yield the paths, not many more than are allowed; compressed ones hold no lines."""
    count = 0
    for pattern in patterns:
        for path in glob.iglob(pattern, recursive=True) if glob.has_magic(pattern) else (pattern,):
            if not path.endswith(_COMPRESSED):
                count += 1
                yield path
            if count > MAX_FILES:
                return


def _seen(descriptor: int) -> Seen:
    found = os.fstat(descriptor)
    return Seen(found.st_size, os.pread(descriptor, MARK, 0), found.st_nlink)


def matches(path: str, pattern: str) -> bool:
    """Tell whether `glob` finds *path* by *pattern*, `**` included, whether or not it is there."""
    return _matches(path.split("/"), pattern.split("/"))


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        deeper = parts and not parts[0].startswith(".") and _matches(parts[1:], pattern)
        return bool(deeper) or _matches(parts, pattern[1:])
    first = parts and (pattern[0].startswith(".") or not parts[0].startswith("."))
    return bool(first) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
