"""When to sync for pushes: the first at once, those that follow together, and again while the server lags."""

from __future__ import annotations

# Seconds between tries to get a commit that was announced before the server answers it; a server with
# replicas may take that long.
RETRIES = (0.2, 0.5, 1.0, 2.0)
_LONGEST = 10  # debounces that pushes without a pause between them can hold a sync up


class Coalescer:
    """Turns pushes into syncs; times are seconds of any clock that does not go back.

    A push after a quiet time is due at once. One that comes within *debounce* of the start of a sync for
    pushes waits for a gap of *debounce* between pushes, so that a burst costs two syncs: the first, which is
    fast, and the last, which has everything.

    Attributes:
        due: when to start a sync; None while nothing is wanted.
    """

    def __init__(self, debounce: float) -> None:
        self._debounce = debounce
        self._started = float("-inf")  # the last sync that was for pushes
        self._latest = float("-inf")  # the gathering of pushes ends then, gap or not
        self.due: float | None = None
        self._asked = False  # by a push; what only tries again does not count

    def push(self, now: float) -> None:
        """Want a sync that starts from now on."""
        if self.due is None:
            quiet = now - self._started >= self._debounce
            self._latest = now if quiet else now + _LONGEST * self._debounce
        self.due = min(now + self._debounce, self._latest)
        self._asked = True

    def at(self, moment: float) -> None:
        """Want a sync at *moment*, or earlier where one is wanted earlier."""
        self.due = self._latest = moment if self.due is None else min(self.due, moment)

    def started(self, now: float) -> bool:
        """Forget what was wanted, because a sync starts; return whether a push wanted it."""
        asked, self._asked = self._asked, False
        if self.due is not None:
            self.due, self._started = None, now
        return asked


class Patience:
    """Tries again while the server does not answer a commit that a push announced.

    What a push announces decides nothing else. It is given up as soon as anything new arrived: that may be
    a newer commit, or what an annotated tag stands for.
    """

    def __init__(self) -> None:
        self._announced = self._before = ""
        self._left: tuple[float, ...] = ()

    def announce(self, commit: str, published: str) -> None:
        """Expect *commit* in the place of *published*; an empty one is no expectation."""
        self._announced, self._before = commit, published
        self._left = RETRIES if commit and published else ()

    def synced(self, commit: str) -> float | None:
        """Return in how many seconds to try again after a sync that found *commit*; None for no need."""
        if commit in {self._announced} or commit != self._before:
            self._left = ()
        return self.failed()

    def failed(self) -> float | None:
        """Return the same after a sync that failed."""
        if not self._left:
            return None
        wait, *rest = self._left
        self._left = tuple(rest)
        return wait
