"""Whether a replica is fit to be read: how far behind it is, and how often it failed. No I/O, no clock.

Two judges for each replica, both asked with the time in seconds. `Lag` looks at what it says of itself, with
a margin, so that a replica at the limit does not come and go. `Breaker` looks at what happened to connections
that clients had with it, which its own words do not show.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

_KEEP = 60.0  # seconds of the master's offsets
_CALM = 3  # samples below half of the limit before a replica that was too far behind is read again
_CATCH_UP = 0.5  # seconds for which a replica may be too far behind: one write may be larger than the limit
_SILENT = 11.0  # seconds: a master pings its replicas every ten
_FAILURES = 5  # in a row
_FIRST, _LONGEST = 1.0, 60.0  # seconds out
_FORGIVEN = 60.0  # seconds without a failure after which the next one counts as the first
SLOW_START = 10.0  # seconds until a replica that comes back gets its full share


class Offsets:
    """What a master's offset was when, for the last minute."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._offsets: list[int] = []
        self.history = ""

    def add(self, now: float, history: str, offset: int) -> None:
        """Note what the master said at *now*."""
        if history != self.history:
            self.history, self._times, self._offsets = history, [], []
        if self._offsets and offset < self._offsets[-1]:
            return  # an answer that was overtaken
        old = bisect_right(self._times, now - _KEEP)
        if old or len(self._times) > 8192:
            del self._times[: max(old, 1)], self._offsets[: max(old, 1)]
        if len(self._offsets) > 1 and self._offsets[-2] == offset == self._offsets[-1]:
            self._times[-1] = now  # nothing was written: the first and the last time tell all
            return
        self._times.append(now)
        self._offsets.append(offset)

    def behind(self, offset: int) -> int:
        """Return how many bytes the newest sample is ahead of *offset*."""
        return max(0, self._offsets[-1] - offset) if self._offsets else 0

    def age(self, now: float, offset: int) -> float:
        """Return how many seconds ago the master was where a replica at *offset* is now; 0 when it still is.

        It is the age of the newest sample that the replica has reached; a minute when it has reached none.
        """
        if not self._offsets or offset >= self._offsets[-1]:
            return 0.0
        place = bisect_right(self._offsets, offset)
        return now - self._times[place - 1] if place else max(_KEEP, now - self._times[0])

    def beyond(self, now: float, offset: int) -> float:
        """Return for how many seconds the master has been ahead of *offset*; 0 when it is not."""
        place = bisect_right(self._offsets, offset)
        return now - self._times[place] if place < len(self._offsets) else 0.0


@dataclass(slots=True)
class Limits:
    """How far behind a replica may be; 0 means any distance. A reload changes them in place."""

    lag_bytes: int = 0
    lag_seconds: float = 0.0


@dataclass(slots=True)
class Lag:
    """One replica's distance from its master, judged with a margin."""

    bytes: int = 0
    seconds: float = 0.0
    over: bool = False
    watched: bool = False  # too many bytes behind, but not for long
    _calm: int = 0

    def sample(self, offsets: Offsets, now: float, offset: int, limits: Limits) -> None:
        """Judge a replica that is at *offset* now: too far above a limit, fine again below half of it thrice.

        What is too many bytes has to be so for half a second: a replica that keeps up is behind by every
        write, however large, for as long as that is on its way.
        """
        size, seconds = self.bytes, self.seconds = offsets.behind(offset), offsets.age(now, offset)
        pairs = ((size, limits.lag_bytes), (seconds, limits.lag_seconds))
        large = bool(limits.lag_bytes) and size > limits.lag_bytes
        late = bool(limits.lag_seconds) and seconds > limits.lag_seconds
        if late or (large and (self.over or offsets.beyond(now, offset + limits.lag_bytes) > _CATCH_UP)):
            self.over, self._calm = True, 0
        elif large:
            self._calm = 0
        elif not self.over or all(not limit or value <= limit / 2 for value, limit in pairs):
            self._calm += 1
            self.over = self.over and self._calm < _CALM
        else:
            self._calm = 0
        self.watched = large and not self.over


def silent(seconds: str) -> bool:
    """Tell whether ``master_last_io_seconds_ago`` says that a link is up by name only."""
    return seconds.isdigit() and int(seconds) > _SILENT


@dataclass(slots=True)
class Breaker:
    """Keeps a replica out for 1, 2, 4 … 60 s after five failures in a row; then one try decides."""

    out: bool = False
    until: float = 0.0
    _failures: int = 0
    _wait: float = _FIRST
    _failed_at: float = float("-inf")
    _back_at: float = float("-inf")

    def failed(self, now: float) -> bool:
        """Count a connection that was refused, lost or timed out; True when that ejects the replica."""
        if now - self._failed_at > _FORGIVEN:
            self._wait = _FIRST
        self._failed_at = now
        self._failures += 1
        if self.out or self._failures < _FAILURES:
            return False
        self._eject(now)
        return True

    def worked(self) -> None:
        """A connection was taken and has answered."""
        self._failures = 0

    def due(self, now: float) -> bool:
        """Tell whether the time is up and one try is to be made."""
        return self.out and now >= self.until

    def tried(self, now: float, good: bool) -> None:
        """Take the result of the try: back, or out for twice as long."""
        if not self.out:
            return
        if not good:
            self._eject(now)
            return
        self.out, self._failures, self._back_at = False, 0, now

    def share(self, now: float) -> float:
        """Return the share of clients it is to get, which rises from a tenth to 1 after its return."""
        return min(1.0, max(0.1, (now - self._back_at) / SLOW_START))

    def _eject(self, now: float) -> None:
        self.out, self._failures, self.until = True, 0, now + self._wait
        self._wait = min(2 * self._wait, _LONGEST)
