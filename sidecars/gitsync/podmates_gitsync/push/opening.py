"""From settings to a push receiver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from podmates_common.redact import Redactor
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.push.receiver import Receiver, Target
from podmates_gitsync.push.secrets import PushSecrets
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.settings import Settings
from podmates_gitsync.sync.loop import State


class Repository(Protocol):
    """What pushes can be for."""

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


def receiver(path: str, repositories: Sequence[Repository], redactor: Redactor) -> Receiver:
    """Return a receiver for *repositories*: on *path*, or below it by their names where they have names.

    Raises:
        StartError: one has no secret that can be read.
    """
    return Receiver(path, [_target(repository, redactor) for repository in repositories])


def _target(repository: Repository, redactor: Redactor) -> Target:
    settings = repository.settings
    return Target(
        repository.name,
        settings.ref,
        settings.push_provider,
        PushSecrets(settings.push_secret, settings.push_secret_file, redactor),
        repository.state,
        repository.metrics,
        repository.log,
    )
