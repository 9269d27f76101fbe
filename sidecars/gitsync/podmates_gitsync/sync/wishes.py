"""What others want of the loop: a sync now, and word of when it is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from podmates_gitsync.sync.coalesce import Coalescer, Patience

Done = Callable[[str], None]


class Wishes:
    """Ends pauses of the loop; safe to use from any thread.

    Args:
        debounce: seconds in which pushes are gathered after one was answered at once.
    """

    def __init__(self, debounce: float = 0.2) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._signalled = False
        self._forgiving = False
        self._pushes, self._patience = Coalescer(debounce), Patience()
        self._asked: list[Done] = []  # since the sync under way began
        self._promised: list[Done] = []  # before: its success is what they wait for
        self._published = ""

    def signal(self) -> None:
        """Want a sync at once, even in the middle of one."""
        self._signalled = True
        self._wake.set()

    def push(self, commit: str = "", done: Done | None = None, *, force: bool = False) -> None:
        """Want a sync that starts from now on, together with others that are wanted soon.

        Args:
            commit: what the server should answer by then; only decides whether to try once more.
            done: called with the commit after the first success of such a sync, in the loop's thread.
            force: let it look again at a commit that was refused.
        """
        with self._lock:
            self._pushes.push(time.monotonic())
            self._forgiving = self._forgiving or force
            if commit:
                self._patience.announce(commit, self._published)
            if done is not None:
                self._asked.append(done)
        self._wake.set()

    def forget(self, done: Done) -> None:
        """Do not call *done* any more."""
        with self._lock:
            self._asked = [other for other in self._asked if other is not done]
            self._promised = [other for other in self._promised if other is not done]

    def pause(self, seconds: float) -> None:
        """Return after *seconds*, or when a sync is due that somebody wants."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            with self._lock:
                until = end if self._pushes.due is None else min(end, self._pushes.due)
            if self._signalled or until <= now:
                return
            self._wake.wait(until - now)
            self._wake.clear()

    def begin(self) -> bool:
        """Start a sync; return whether somebody wants it now. To try again for a push is no such wish."""
        signalled, self._signalled = self._signalled, False
        with self._lock:
            pushed = self._pushes.started(time.monotonic())
            self._promised += self._asked
            self._asked = []
        return pushed or signalled

    def forgives(self) -> bool:
        """Return whether the sync that began looks again at what was refused; for this one only."""
        with self._lock:
            forgiving, self._forgiving = self._forgiving, False
        return forgiving

    def refuse(self, commit: str) -> None:
        """End a sync that found *commit* and did not publish it; who waits for it waits on."""
        with self._lock:
            self._again(self._patience.synced(commit))

    def succeed(self, commit: str) -> None:
        """End a sync after which *commit* is published."""
        with self._lock:
            self._published = commit
            self._again(self._patience.synced(commit))
            promised, self._promised = self._promised, []
        for done in promised:
            done(commit)

    def end(self) -> None:
        """No sync follows any more: whoever waits for one gets an empty commit."""
        with self._lock:
            waiting = [*self._promised, *self._asked]
            self._promised, self._asked = [], []
        for done in waiting:
            done("")

    def fail(self, *, again: bool) -> None:
        """End a sync that failed; with *again* it is tried soon, if it was for an announced commit."""
        with self._lock:
            if again:
                self._again(self._patience.failed())

    def _again(self, wait: float | None) -> None:
        if wait is not None:
            self._pushes.at(time.monotonic() + wait)
