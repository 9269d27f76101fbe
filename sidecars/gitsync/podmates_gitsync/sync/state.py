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

    ready: threading.Event = field(default_factory=threading.Event)  # the first success; never taken back
    wishes: Wishes = field(default_factory=Wishes)  # what ends the pause
    status: Status = field(default_factory=lambda: Status(fresh=time.monotonic()))  # replaced, never changed
    parked: bool = False  # the ref is a hash and it is there: nothing will ever change


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
