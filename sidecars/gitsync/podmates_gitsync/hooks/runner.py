"""Hooks run beside the syncs, one runner per kind: the newest commit counts, a failure is tried again."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from podmates_gitsync import threads
from podmates_gitsync.govalues import show_duration
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.memory import Memory
from podmates_gitsync.reports import others
from podmates_gitsync.reports.logs import Log


class HookError(Exception):
    """A hook failed; the text holds what it said."""


class HookNotRun(HookError):
    """A hook said neither yes nor no: it could not be started, or was not let end."""


class Hook(Protocol):
    """What a runner runs."""

    def run(self, change: Change) -> None: ...


class Runner:
    """Runs one hook for the newest commit it was handed, in a thread of its own.

    Commits may be skipped; what changed with them is told with the next one. One that was done is not
    done again.

    Args:
        hook: raises HookError when it failed; anything else that it raises is a failure as well.
        backoff: seconds before the next try.
        once: end after the first try, whatever comes of it.
        count: is told True or False for each try.
        memory: what the hook was told last, by this process or one before.
    """

    def __init__(
        self,
        hook: Hook,
        log: Log,
        *,
        backoff: float,
        once: bool,
        count: Callable[[bool], None],
        memory: Memory,
    ) -> None:
        self._hook, self._log, self._backoff, self._once, self._count = hook, log, backoff, once, count
        self._memory = memory
        self._news = threading.Condition()
        self._wanted: Change | None = None  # all that it has not been told yet
        self._busy, self._handed, self._closed = False, False, False
        self._recalled = False
        self._done = ""  # by this process
        self._told = ""  # by any: what the hook ended well for last
        self._first: bool | None = None  # how the first try ended
        threads.start(self._work, name="hook")

    def expect(self, change: Change) -> None:
        """Know what the hook was told last, before the link names *change*: nobody can tell afterwards."""
        with self._news:
            if not self._recalled:
                self._told, self._recalled = self._memory.told(change.previous), True

    def told(self) -> str:
        """Return the commit that the hook ended well for last, in an earlier process too; empty for none."""
        with self._news:
            if self._recalled:
                return self._told
            with contextlib.suppress(OSError):
                return self._memory.recalled()
            return ""

    def hand(self, change: Change) -> None:
        """Let the hook run for *change* as soon as the run before has ended."""
        self.expect(change)
        with self._news:
            self._handed = True
            self._wanted = self._wanted.then(change) if self._wanted else change
            self._news.notify_all()

    def close(self) -> None:
        """Try nothing any more; what becomes of a try that is under way is nobody's business."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def first_result(self) -> bool:
        """Return how the first try ended, when it has; True if nothing was ever handed over."""
        with self._news:
            self._news.wait_for(lambda: self._first is not None or not self._handed)
            return self._first is not False

    def settle(self, seconds: float) -> None:
        """Return when the hook has nothing to do, at the latest after *seconds*."""
        with self._news:
            self._news.wait_for(lambda: not self._busy and not self._has_work(), seconds)

    def _has_work(self) -> bool:
        return self._wanted is not None and self._wanted.commit != self._done

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._closed or self._has_work())
                if self._closed:
                    return
                assert self._wanted is not None  # noqa: S101  (for the type checker: there is work)
                change, self._wanted, self._busy = self._wanted.since(self._told), None, True
            worked = self._attempt(change)
            with self._news:
                self._conclude(change, worked)
            if self._once:
                return
            if not worked:
                time.sleep(self._backoff)  # nothing cuts it short in the original either

    def _conclude(self, change: Change, worked: bool) -> None:
        self._first = worked if self._first is None else self._first
        self._busy = False
        if worked:
            self._done = self._told = change.commit
            self._memory.tell(change.commit)
        else:
            self._wanted = change.then(self._wanted) if self._wanted else change
        self._news.notify_all()

    def _attempt(self, change: Change) -> bool:
        failure, more = "", dict[str, Any]()
        try:
            self._hook.run(change)
        except HookError as error:
            failure = str(error)
        except Exception as error:  # a thread that ended of it would never run the hook again
            failure, more = others.unforeseen(error), {"trace": others.trace(error)}
        else:
            self._count(True)
            return True
        if not self._closed:
            more["retry"] = show_duration(self._backoff)
        self._log.error(failure, "hook failed", hash=change.commit, **more)
        self._count(False)
        return False
