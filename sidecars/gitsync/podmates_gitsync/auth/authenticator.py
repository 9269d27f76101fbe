"""What a repository's syncs authenticate with: everything that its settings name, in git-sync's order."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from podmates_common.redact import Redactor
from podmates_gitsync.auth.askpass import Askpass
from podmates_gitsync.auth.cache import Cache
from podmates_gitsync.auth.credentials import Credential, Pair, gather
from podmates_gitsync.auth.github import App, Identity
from podmates_gitsync.auth.store import Store
from podmates_gitsync.git.commands import Git
from podmates_gitsync.git.urls import bare
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.settings import Settings


class Authenticator:
    """Knows who is asked for a password, and gives git what they say.

    Args:
        settings: as they were given, user information in the URL included; file names count from the
            working directory of now.
        environ: of this process.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str], metrics: Metrics) -> None:
        repo = bare(settings.repo).url
        self._longest = settings.sync_timeout
        self._credentials: list[Credential] = gather(settings)
        self._askpass = (
            Askpass(settings.askpass_url, repo, environ, count=metrics.askpass)
            if settings.askpass_url
            else None
        )
        identity = _identity(settings)
        self._app = App(identity, repo, environ, count=metrics.app_token) if identity else None
        self._cache: Cache | None = None
        self._store: Store | None = None

    def open(self, redactor: Redactor, root: Path) -> str:
        """Make the place where git keeps passwords, and return the value for git's `credential.helper`.

        Raises:
            OSError: there is no place for it.
        """
        self._cache = Cache(root)
        self._store = Store(self._cache, redactor, self._longest)
        return self._cache.helper

    @property
    def held(self) -> tuple[Pair, ...]:
        """What git knew at the start of the last sync, in order: for a host the first one counts."""
        return tuple(self._store.held) if self._store else ()

    def authenticate(self, git: Git) -> None:
        """Give git every pair that it does not know, and ask for new ones.

        Raises:
            GitError: somebody does not answer, or git does not take it.
            KeyFileError: it will not work later either.
        """
        assert self._store is not None  # noqa: S101  (opened before the first sync)
        pairs = [credential.pair() for credential in self._credentials]
        if self._askpass:
            pairs.append(self._askpass.pair())
        if self._app:
            pairs.append(self._app.pair(max(0.0, git.deadline - time.monotonic())))
        self._store.approve(git, pairs)

    def close(self) -> None:
        """Forget everything."""
        if self._cache:
            self._cache.close()


def _identity(settings: Settings) -> Identity | None:
    if not settings.github_app_client_id and not settings.github_app_application_id:
        return None
    file = settings.github_app_private_key_file
    return Identity(
        settings.github_app_client_id or str(settings.github_app_application_id),
        settings.github_app_installation_id,
        Path(os.path.abspath(file)) if file else settings.github_app_private_key,
        settings.github_base_url,
    )
