"""Hooks run beside the syncs, one runner per kind: the newest commit counts, a failure is tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from podmates_gitsync.flags.govalues import show_duration
from podmates_gitsync.processes import Running, TimeoutExpired, collect, start
from podmates_gitsync.reports.logs import Log


class HookError(Exception):
    """A hook failed; the text holds what it said."""


class Hook(Protocol):
    """What a runner runs."""

    def run(self, commit: str) -> None: ...


class Runner:
    """Runs one hook for the newest commit it was handed, in a thread of its own.

    Commits may be skipped. One that was done is not done again.

    Args:
        hook: raises HookError when it failed.
        backoff: seconds before the next try.
        once: end after the first try, whatever comes of it.
        count: is told True or False for each try.
    """

    def __init__(
        self, hook: Hook, log: Log, *, backoff: float, once: bool, count: Callable[[bool], None]
    ) -> None:
        self._hook, self._log, self._backoff, self._once, self._count = hook, log, backoff, once, count
        self._news = threading.Condition()
        self._wanted, self._done = "", ""
        self._first: bool | None = None  # how the first try ended
        threading.Thread(target=self._work, daemon=True).start()

    def hand(self, commit: str) -> None:
        """Let the hook run for *commit* as soon as the run before has ended."""
        with self._news:
            self._wanted = commit
            self._news.notify_all()

    def first_result(self) -> bool:
        """Return how the first try ended, when it has; True if nothing was ever handed over."""
        with self._news:
            self._news.wait_for(lambda: self._first is not None or not self._wanted)
            return self._first is not False

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._wanted not in {"", self._done})
                commit = self._wanted
            worked = self._attempt(commit)
            with self._news:
                self._first = worked if self._first is None else self._first
                self._done = commit if worked else self._done
                self._news.notify_all()
            if self._once:
                return
            if not worked:
                time.sleep(self._backoff)  # nothing cuts it short in the original either

    def _attempt(self, commit: str) -> bool:
        try:
            self._hook.run(commit)
        except HookError as error:
            self._log.error(error, "hook failed", hash=commit, retry=show_duration(self._backoff))
            self._count(False)
            return False
        self._count(True)
        return True


class Exechook:
    """A program, run directly in the worktree of the commit: no shell, no arguments.

    Args:
        command: the whole text is its name; with a slash and relative it is looked for in the worktree.
        timeout: seconds.
        tree: where the worktree of a commit is.
        environment: complete; GITSYNC_HASH is added.
    """

    def __init__(
        self,
        command: str,
        timeout: float,
        *,
        tree: Callable[[str], Path],
        environment: Mapping[str, str],
        log: Log,
        running: Running,
    ) -> None:
        self._command, self._timeout, self._tree = command, timeout, tree
        self._environment, self._log, self._running = environment, log, running

    def run(self, commit: str) -> None:
        """Run it once.

        Raises:
            HookError: it could not be started, did not end in time, or not with status 0.
        """
        tree = self._tree(commit)
        self._log.info(
            0, "running exechook", hash=commit, command=self._command, timeout=show_duration(self._timeout)
        )
        if not tree.is_dir():
            raise HookError(f"the worktree is gone: {tree}")
        try:
            process = start([self._command], tree, {**self._environment, "GITSYNC_HASH": commit})
            done = collect(process, time.monotonic() + self._timeout, self._running)
        except (OSError, TimeoutExpired) as error:
            raise HookError(f"Run({self._command}): {error}") from None
        if done.status:
            said = f'{{ stdout: "{done.stdout.strip()}", stderr: "{done.stderr.strip()}" }}'
            raise HookError(f"Run({self._command}): exit status {done.status}: {said}")
        self._log.info(1, "exechook succeeded", hash=commit, stdout=done.stdout, stderr=done.stderr)
