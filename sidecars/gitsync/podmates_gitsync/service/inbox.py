"""Why the process is to end, told to its main thread by signals and by other threads.

The main thread waits in `select` and holds no lock meanwhile, so that a signal handler may put something
in at any moment, and a signal that the kernel gives to another thread wakes it all the same. (In the `get`
of Python 3.13.0's SimpleQueue a thread was seen to sleep on through a signal.)
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections import deque
from collections.abc import Callable
from typing import NamedTuple


class End(NamedTuple):
    """Why the process ends: an exit status, or a signal that it got."""

    status: int = 0
    signal: int = 0


class Inbox:
    """Holds ends in the order in which they came."""

    def __init__(self) -> None:
        self._ends: deque[End] = deque()
        self._nudged = False
        self._read, self._write = os.pipe()
        for descriptor in (self._read, self._write):
            os.set_blocking(descriptor, False)

    def listen_to_signals(self) -> None:
        """Let every signal wake `get`, so that its handler runs; only in the main thread."""
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def put(self, end: End) -> None:
        """Put *end* in; from any thread, and from a signal handler."""
        self._ends.append(end)
        self._poke()

    def nudge(self) -> None:
        """Let `get` call its *nudged* soon; for signal handlers, which may take no lock themselves."""
        self._nudged = True
        self._poke()

    def _poke(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full: there is enough to wake up from
            os.write(self._write, b"\0")

    def get(self, nudged: Callable[[], None] = lambda: None) -> End:
        """Wait for the first end and return it; meanwhile call *nudged* after nudges, once for several."""
        while not self._ends:
            select.select([self._read], [], [])
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, 4096)
            if self._nudged:
                self._nudged = False
                nudged()
        return self._ends.popleft()
