"""From settings to a push receiver."""

from __future__ import annotations

from collections.abc import Sequence

from podmates_common.redact import Redactor
from podmates_gitsync.push.receiver import Receiver, Target
from podmates_gitsync.push.secrets import PushSecrets
from podmates_gitsync.sync.state import Repository


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
