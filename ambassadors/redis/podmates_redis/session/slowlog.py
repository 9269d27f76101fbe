"""The last commands that took long here, as a server's SLOWLOG shows them, and no secret. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from podmates_redis.tokens import Tokens

_RATE = (
    100.0  # entries a second in the long run: where all is slow, keeping it must not cost more than the rest
)
_WORDS = 32  # shown of a command, as a server does; the last one says how many are not
_BYTES = 128  # shown of a word
REDACTED = b"(redacted)"
# whose words may be credentials; so may those of a command that nobody knows
_SECRET = frozenset([b"auth", b"hello", b"config", b"acl", b"migrate", b"module", b"sentinel", b"replconf"])


class Slow(NamedTuple):
    """One command that took long; times are in seconds."""

    id: int
    at: float  # when it was answered, on the clock
    took: float  # from its arrival to its reply's turn
    queued: float  # of that, until it was sent
    served: float  # of that, until its reply was here
    words: list[bytes]
    client: int
    addr: bytes
    name: bytes
    route: str
    node: str
    size: int  # bytes of the reply


class SlowLog:
    """The last *length* commands that took longer than *threshold* seconds; 0: none is kept."""

    def __init__(self, threshold: float = 0.0, length: int = 128) -> None:
        self.added = 0  # commands that took long
        self._kept: deque[Slow] = deque()
        self.change(threshold, length)

    def change(self, threshold: float, length: int) -> None:
        """Keep by these limits from now on."""
        self.threshold, self._kept = threshold or float("inf"), deque(self._kept, maxlen=length)
        self._tokens = Tokens(_RATE, max(float(length), 1.0))

    def takes(self, now: float) -> bool:
        """Count one more that took long; tell whether it is to be kept."""
        self.added += 1
        return not self._tokens.take(now)

    def add(self, entry: Slow) -> None:
        """Keep *entry*, whose id is given here."""
        self._kept.append(entry._replace(id=self.added))

    def newest(self) -> list[Slow]:
        """Return what is kept, the newest first."""
        return list(reversed(self._kept))


def shown(words: Sequence[bytes], known: bool) -> list[bytes]:
    """Return *words* of a command, as far as they may be shown; *known*: a server lists it."""
    if not known:
        return [b"(unknown)", REDACTED]
    if words[0].lower() in _SECRET:
        return [words[0], REDACTED]
    found = [_cut(word) for word in words[: _WORDS - 1]]
    if len(words) > _WORDS:
        found.append(b"... (%d more arguments)" % (len(words) - _WORDS + 1))
    else:
        found += map(_cut, words[_WORDS - 1 :])
    return found


def _cut(word: bytes) -> bytes:
    return word if len(word) <= _BYTES else b"%b... (%d more bytes)" % (word[:_BYTES], len(word) - _BYTES)
