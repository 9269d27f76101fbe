"""Users and passwords on their way into git: by ``git credential approve``, never on a command line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from podmates_common.redact import Redactor, Secret
from podmates_gitsync.auth.cache import TIMEOUT, Cache
from podmates_gitsync.auth.credentials import Pair
from podmates_gitsync.git.commands import GitError, Runner
from podmates_gitsync.git.urls import description

_MOST_MASKED = 1000  # passwords that logs are kept free of


class Store:
    """Sees to it that git knows the pairs at the start of each sync.

    Args:
        cache: where git keeps them, unless the user configured another helper.
        longest: seconds that a sync may take, for which they must last.

    Attributes:
        held: what git knew at the start of the last sync, in order.
    """

    def __init__(self, cache: Cache, redactor: Redactor, longest: float) -> None:
        self._cache, self._redactor = cache, redactor
        self._lasting = TIMEOUT - longest
        self._masked: dict[str, Secret] = {}  # in order, the one used last at the end
        self._approved = float("-inf")
        self.held: Sequence[Pair] = ()

    def approve(self, git: Runner, pairs: Sequence[Pair]) -> None:
        """Give git *pairs*, in order: all of them when one changed, was dropped or will not last, else none.

        In order and all together, because for a host with several users the first one counts.

        Raises:
            GitError: git does not take one.
        """
        if not self._are_known(pairs):
            now = time.monotonic()
            for pair in pairs:
                self._mask(pair.password)
                git.run(["credential", "approve"], Path("/"), locked=False, input=_text(pair))
            self._approved = now
        self.held = tuple(pairs)

    def _are_known(self, pairs: Sequence[Pair]) -> bool:
        lasts = time.monotonic() - self._approved < self._lasting
        return lasts and all(self._is_known(pair) for pair in pairs)

    def _is_known(self, pair: Pair) -> bool:
        found = self._cache.passwords.find({**description(pair.url), "username": pair.user})
        return found is not None and found["password"] == pair.password

    def _mask(self, password: str) -> None:
        known = self._masked.pop(password, None)
        if known is None:
            known = Secret(password)
            self._redactor.add(known)
        self._masked[password] = known
        if len(self._masked) > _MOST_MASKED:  # tokens come and go
            self._redactor.forget(self._masked.pop(next(iter(self._masked))))


def _text(pair: Pair) -> str:
    """Return what git reads, see git-credential(1)."""
    lines = [f"url={pair.url}", f"username={pair.user}", f"password={pair.password}"]
    if any("\n" in line or "\0" in line for line in lines):
        raise GitError("a user name or password has a line break in it, which git cannot take")
    return "\n".join([*lines, "", ""])
