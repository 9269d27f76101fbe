"""The loop around `sync`: pauses, counts of failures, when to end and with which exit status."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from podmates_gitsync.errors import Refused
from podmates_gitsync.git.refs import is_hash
from podmates_gitsync.govalues import show_duration
from podmates_gitsync.hooks.runner import Runner
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.reports.files import ErrorFile, touch
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.reports.status import Rejected, Status
from podmates_gitsync.settings import Settings
from podmates_gitsync.sync import pacing
from podmates_gitsync.sync.acting import FAILURES
from podmates_gitsync.sync.state import State
from podmates_gitsync.sync.syncer import Synced

_REFUSED = "hash refused, not published"
_MOMENT = 0.1  # seconds that hooks have before the touch file is touched


class Syncs(Protocol):
    """What the loop drives."""

    def sync(self, deadline: float, *, forced: bool = False, forgiving: bool = False) -> Synced: ...
    def clean(self, commit: str) -> None: ...
    def hold(self) -> None: ...
    def published(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the loop tells of its results."""

    log: Log
    metrics: Metrics
    state: State
    hooks: Sequence[Runner]
    error_file: ErrorFile | None = None
    touch_file: Path | None = None


class Loop:
    """Syncs until one of the reasons to end.

    Args:
        first_limit: failures allowed before the first success; None for as many as later.
    """

    def __init__(
        self, settings: Settings, syncer: Syncs, around: Surroundings, *, first_limit: int | None = None
    ) -> None:
        self._settings, self._syncer, self._around = settings, syncer, around
        self._first_limit = first_limit
        self._failures = 0
        self._succeeded_once = False
        self._shown = False  # the error file holds the refusal

    def run(self) -> int:
        """Return the exit status."""
        state, pause = self._around.state, self._settings.init_period or self._settings.period
        while True:
            status = self._once()
            if status is not None:
                return status
            if state.parked:
                threading.Event().wait()  # hooks and HTTP go on
            pause = self._settings.period if self._succeeded_once else pause
            wait = self._paced(pause)
            self._around.log.info(2, "next sync", wait=show_duration(wait))
            state.wishes.pause(wait)

    def _paced(self, pause: float) -> float:
        settings = self._settings
        return pacing.pause(
            pause,
            self._failures,
            limit=settings.max_backoff,
            jitter=settings.period_jitter,
            draw=random.random(),  # noqa: S311 - not a secret
        )

    def _once(self) -> int | None:
        began, state = time.monotonic(), self._around.state
        self._around.log.info(2, "syncing", repo=self._settings.repo)
        self._tell(state.status.attempted(time.time()))
        try:
            synced = self._syncer.sync(
                began + self._settings.sync_timeout,
                forced=state.wishes.begin(),
                forgiving=state.wishes.forgives(),
            )
        except Refused as refused:
            self._around.metrics.synced("noop", time.monotonic() - began)
            return self._held(refused)
        except FAILURES as error:
            self._around.metrics.synced("error", time.monotonic() - began)
            return self._failed(error)
        return self._succeeded(synced, time.monotonic() - began)

    def _failed(self, error: BaseException) -> int | None:
        state = self._around.state
        self._failures += 1
        self._shown = False
        self._tell(self._seen(state.status.failed(self._around.log.cleaned(str(error)))))
        self._syncer.hold()
        limit = self._settings.max_failures
        if self._first_limit is not None and not self._succeeded_once:
            limit = self._first_limit
        if 0 <= limit <= self._failures:
            self._around.log.error(
                error, "too many failures, aborting", failCount=self._failures, maxFailures=limit
            )
            return 1
        self._around.log.error(error, "error syncing repo, will retry", failCount=self._failures)
        state.wishes.fail(again=limit < 0)  # else soon would be one of the failures that are allowed
        return None

    def _held(self, refused: Refused) -> int | None:
        """What is published stays so: no failure, and nothing to tell again while it lasts."""
        around, state = self._around, self._around.state
        self._failures = 0
        rejected = Rejected(refused.commit, refused.reason, refused.at or time.time())
        status = state.status if refused.at else state.status.refused(rejected)
        status = status.held(around.log.cleaned(str(refused)), time.time(), time.monotonic())
        self._tell(self._seen(status))
        self._syncer.hold()
        self._show(refused)  # after the clean-up, whose faults are the smaller ones
        state.wishes.refuse(refused.commit)
        if self._syncer.published():
            state.ready.set()
        if self._settings.one_time:
            around.log.info(0, "exiting after one sync", status=1, hash=refused.commit)
            return 1
        return None

    def _show(self, refused: Refused) -> None:
        """Say it once in the log, and have it in the error file until something is published."""
        around, pairs = self._around, {"hash": refused.commit, "reason": refused.reason}
        if refused.at is None:
            around.log.error(refused, _REFUSED, **pairs)
        else:
            around.log.info(2, "hash is still refused", **pairs)
        if refused.at is not None and not self._shown and around.error_file is not None:
            around.error_file.observe(_REFUSED, around.log.cleaned(str(refused)), pairs)
        self._shown = True

    def _succeeded(self, synced: Synced, seconds: float) -> int | None:
        around, first = self._around, not self._succeeded_once
        self._failures, self._succeeded_once, self._shown = 0, True, False
        around.metrics.synced("success" if synced.changed or first else "noop", seconds)
        self._tell(around.state.status.succeeded(synced.commit, time.time(), time.monotonic()))
        if first and self._settings.init_period not in {0, self._settings.period}:
            around.log.info(
                0, "first success, pausing for the period", wait=show_duration(self._settings.period)
            )
        around.state.ready.set()
        around.state.wishes.succeed(synced.commit)
        if (synced.changed or first) and around.touch_file is not None:
            self._give_hooks_a_moment()
            self._touch(around.touch_file)
        self._syncer.clean(synced.commit)
        if self._settings.one_time:
            return self._end(synced)
        if around.error_file is not None:
            around.error_file.delete()
        if synced.commit == self._settings.ref:
            around.log.info(0, "ref is a hash, no further syncs", ref=synced.commit)
            around.state.parked = True
            around.state.wishes.begin()  # nobody who asked meanwhile waits for a sync that never comes
            around.state.wishes.succeed(synced.commit)
        return None

    def _seen(self, status: Status) -> Status:
        """Return *status* with what the link names: it may have moved before something else failed."""
        published = self._syncer.published()
        return status.published(published, time.time()) if is_hash(published) else status

    def _tell(self, status: Status) -> None:
        self._around.state.status = status
        self._around.metrics.know(status, self._settings.ref)

    def _give_hooks_a_moment(self) -> None:
        """Who waits for the touch file looks at what quick hooks did."""
        end = time.monotonic() + _MOMENT
        for hook in self._around.hooks:
            hook.settle(max(0.0, end - time.monotonic()))

    def _touch(self, path: Path) -> None:
        try:
            touch(path)
        except OSError as error:
            self._around.log.error(error, "failed to touch touch-file", path=str(path))

    def _end(self, synced: Synced) -> int:
        results = [hook.first_result() for hook in self._around.hooks]
        if self._around.error_file is not None:
            self._around.error_file.delete()
        self._around.log.info(
            0, "exiting after one sync", status=0 if all(results) else 1, hash=synced.commit
        )
        return 0 if all(results) else 1
