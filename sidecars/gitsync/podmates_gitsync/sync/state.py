"""What the rest of the process sees of a repository that is synced."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from podmates_gitsync.metrics import Metrics
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.reports.status import Status
from podmates_gitsync.settings import Settings
from podmates_gitsync.sync.wishes import Wishes


@dataclass(slots=True)
class State:
    """What the rest of the process sees of the loop."""

    ready: threading.Event = field(default_factory=threading.Event)  # from the first success on, see `end`
    wishes: Wishes = field(default_factory=Wishes)  # what ends the pause
    status: Status = field(default_factory=lambda: Status(fresh=time.monotonic()))  # replaced, never changed
    parked: bool = False  # the ref is a hash and it is there: nothing will ever change
    waiting: bool = False  # another process has root
    ended: bool = False  # no sync will ever follow

    def wait(self, waiting: bool) -> None:
        """Another process has root, or not any more; not ready until the next success, for it may publish."""
        self.waiting = waiting
        if waiting:
            self.ready.clear()

    def end(self, status: int) -> None:
        """No sync follows; with another *status* than 0 it is not ready any more, if others go on at all."""
        self.ended = True
        if status:
            self.ready.clear()
        self.wishes.end()

    @property
    def shown(self) -> str:
        """What it does, in one word."""
        named = {"ended": self.ended, "waiting": self.waiting, "parked": self.parked}
        return next((name for name, true in named.items() if true), "running")


class Repository(Protocol):
    """What is told of a repository."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def log(self) -> Log: ...
