"""Which files of a log are read on, from where, and when they are let go: decided from what was seen.

A file is known by its device and inode, and told from one that took its place there by its first bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from podmates_metrics.tailing.lines import Lines

Start = Literal["end", "start", "saved"]
MARK = 256  # bytes from the beginning that tell files apart
SILENCE = 1.0  # seconds after which the last line of a file that was replaced is whole without its end
MAX_LEFT = 100  # files that were let go and are known
GONE = 10.0  # seconds of silence after which a file without its name is let go: its writer hears late of it


class Key(NamedTuple):
    """What a file is, whatever its name."""

    device: int
    inode: int


class Seen(NamedTuple):
    """What is known of an open file at one look."""

    size: int
    mark: bytes  # its first `MARK` bytes, or as many as it has
    links: int = 1  # names in any folder


class Place(NamedTuple):
    """How far a file was read before: what lasts over a restart. *digest* is of the first *size* bytes."""

    offset: int
    size: int
    digest: str


@dataclass(slots=True)
class Followed:
    """A file that is read. *offset* is where to read on; *read* the time of the last bytes,
    or of a later look at which it had its name.
    """

    key: Key
    names: frozenset[str]  # the last that led to it
    offset: int
    lines: Lines
    mark: bytes
    read: float
    named: bool = True  # one of the names leads to it still
    succeeded: bool = False  # another file has its name now

    @property
    def place(self) -> Place:
        """How far its lines were taken."""
        return Place(self.offset - self.lines.waiting, len(self.mark), digest(self.mark))


def digest(mark: bytes) -> str:
    """Return what tells a beginning from others without showing it."""
    return hashlib.sha256(mark).hexdigest()


@dataclass(slots=True)
class Following:
    """All files of one log. *truncations* counts files that began anew."""

    start: Start
    saved: Mapping[Key, Place] | None = None  # None: nothing was saved
    files: dict[Key, Followed] = field(default_factory=dict)
    truncations: int = 0
    begun: bool = False  # the files of the start are all open: later ones are new
    left: dict[Key, Place] = field(default_factory=dict)  # of files let go: a link may lead to them again

    def __post_init__(self) -> None:
        self.left = {**(self.saved or {}), **self.left}

    def look(self, names: Mapping[str, Key]) -> dict[Key, frozenset[str]]:
        """Take what the names lead to now; return the files that are new, with their names."""
        found: dict[Key, set[str]] = {}
        for name, key in names.items():
            found.setdefault(key, set()).add(name)
        for key, followed in self.files.items():
            followed.named = key in found
            if followed.named:
                followed.names = frozenset(found[key])
            followed.succeeded = not followed.named and any(name in names for name in followed.names)
        return {key: frozenset(some) for key, some in found.items() if key not in self.files}

    def opened(self, key: Key, names: frozenset[str], seen: Seen, *, last: bytes, now: float) -> Followed:
        """Return the new file *key*; *last* is its last byte."""
        offset, inside = self._first(key, seen, last)
        made = Followed(key, names, offset, Lines(inside=inside), seen.mark, now)
        self.files[key] = made
        return made

    def _first(self, key: Key, seen: Seen, last: bytes) -> tuple[int, bool]:
        """Return where to begin to read, and whether that is inside a line."""
        fresh = self.start == "end" or (self.start == "saved" and self.saved is None)
        if fresh and not self.begun:
            return seen.size, last not in (b"", b"\n")
        place = self.left.get(key)
        same = place and place.offset <= seen.size and digest(seen.mark[: place.size]) == place.digest
        return place.offset if place and same else 0, False

    def let_go(self, followed: Followed) -> None:
        """Follow a file no more, but know how far it was read."""
        del self.files[followed.key]
        self.left.pop(followed.key, None)
        self.left[followed.key] = followed.place
        while len(self.left) > MAX_LEFT:
            del self.left[next(iter(self.left))]

    def places(self) -> dict[Key, Place]:
        """How far every file was read that may be met again: what is to be saved."""
        return self.left | {key: followed.place for key, followed in self.files.items()}

    def other(self, start: Start, saved: Mapping[Key, Place] | None) -> Following:
        """Return the same with another start, for files that other patterns add to these."""
        return Following(start, saved, self.files, self.truncations, left=self.left)

    def check(self, followed: Followed, seen: Seen) -> None:
        """Begin anew with a file that was cut off, or written anew in its place."""
        if seen.size < followed.offset or not seen.mark.startswith(followed.mark):
            self.truncations += 1
            followed.offset = 0
            followed.lines = Lines(cut=followed.lines.cut)
        followed.mark = seen.mark

    def ended(self, followed: Followed, now: float) -> bool:
        """Tell whether the last line of a file that gave nothing at this look is whole without its end."""
        return followed.succeeded and now - followed.read >= SILENCE

    def over(self, followed: Followed, seen: Seen, now: float) -> bool:
        """Tell whether a file that gave nothing at this look is to be let go, its last line taken."""
        if followed.named:
            followed.read = now
        return now - followed.read >= GONE and (followed.succeeded or not seen.links)
