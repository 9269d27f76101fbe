"""The scripts that the master is known to have: a replica may run those, and is given what it lacks. No I/O.

The law of this file
 1. A script comes in by the master's own word: it ran it, or loaded it. `SCRIPT FLUSH` empties all.
 2. What is not in here is the master's to answer, so that no replica runs what the master has forgotten.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from podmates_redis.commands.table import Use

_MOST = 1000  # scripts
_ROOM = 8 << 20  # bytes of bodies


class Scripts:
    """Bodies by digest; the least recently used go first.

    A body of None was never seen: the script can be run where it is, and not be loaded anywhere.
    """

    def __init__(self, most: int = _MOST, room: int = _ROOM) -> None:
        self._most, self._room = most, room
        self._bodies: OrderedDict[bytes, bytes | None] = OrderedDict()
        self._digests: dict[bytes, bytes] = {}  # by body: most bodies come again and again
        self._size = 0  # bytes of bodies
        self._scarce: set[bytes] = set()  # digests without a body that a replica did not know
        self.era = 0  # rises with every flush

    def __len__(self) -> int:
        return len(self._bodies)

    def add(self, body: bytes) -> None:
        """The master has *body*."""
        digest = self._digests.get(body)
        if digest is not None:
            self._bodies.move_to_end(digest)
            return
        digest = hashlib.sha1(body).hexdigest().encode()  # noqa: S324  (the server's name for it)
        self.forget(digest)
        if len(body) > self._room:
            return
        self._bodies[digest], self._digests[body] = body, digest
        self._size += len(body)
        self._shrink()

    def add_digest(self, digest: bytes) -> None:
        """The master has the script called *digest*, whatever it is."""
        if digest in self._bodies:
            self._bodies.move_to_end(digest)
        else:
            self._bodies[digest] = None
            self._shrink()

    def _shrink(self) -> None:
        while len(self._bodies) > self._most or self._size > self._room:
            self.forget(next(iter(self._bodies)))

    def missing(self, digest: bytes) -> None:
        """A replica does not have the script called *digest*, of which there is no body."""
        if self._bodies.get(digest, b"") is None:
            self._scarce.add(digest)

    def forget(self, digest: bytes) -> None:
        """The master has no script called *digest*."""
        body = self._bodies.pop(digest, None)
        self._scarce.discard(digest)
        if body is not None:
            del self._digests[body]
            self._size -= len(body)

    def sent(self, use: Use) -> int:
        """A command that has to do with scripts is on its way; return what `era` is then."""
        if use is Use.FLUSH:
            self.flush()
        return self.era

    def flush(self) -> None:
        """The master has no scripts any more."""
        self._bodies.clear()
        self._digests.clear()
        self._scarce.clear()
        self._size = 0
        self.era += 1

    def anywhere(self, digest: bytes) -> bool:
        """Tell whether a replica can be asked to run the script called *digest*."""
        return digest in self._bodies and digest not in self._scarce

    def body(self, digest: bytes) -> bytes | None:
        """Return the body of the script called *digest*, if it is known."""
        return self._bodies.get(digest)

    def has(self, body: bytes) -> bool:
        """Tell whether the master is known to have *body*."""
        return body in self._digests


def only_reads(body: bytes | None) -> bool:
    """Tell whether *body* says in its first line that it writes nothing."""
    if body is None or not body.startswith(b"#!"):
        return False
    for word in body.partition(b"\n")[0].split()[1:]:
        if word.startswith(b"flags=") and b"no-writes" in word[6:].split(b","):
            return True
    return False
