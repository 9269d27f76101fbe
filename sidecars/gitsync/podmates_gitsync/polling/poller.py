"""Looks for news at a low price. Its answer may only be used to leave a fetch out.

Whatever is not "the ref names the same commit" is for a real fetch in the same loop, which decides what the
loop ends with: outages, refused passwords, refs that are gone end as they would without any question.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.polling import naming
from podmates_gitsync.polling.eligibility import Held, Setup, credential, endpoint, objection
from podmates_gitsync.polling.failures import ExchangeError, TooLong
from podmates_gitsync.polling.lsrefs import NotVersion2
from podmates_gitsync.polling.pktline import ProtocolError
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.settings import Settings

if TYPE_CHECKING:
    from podmates_gitsync.polling.asking import Asker

HTTP, LS_REMOTE, FETCH = "http", "ls_remote", "fetch"  # values of the label `how`
_LIMIT = 10.0  # seconds for a question in process
_SHARE = 0.5  # of what is left of the loop's time: the fetch may need the rest
_PATIENCE = 3  # questions in a row without an answer, although each fetch after them went well
_SILENCE = 3600.0  # seconds without such questions then


@dataclass(frozen=True, slots=True)
class Around:
    """What the poller needs to know of the process.

    Attributes:
        variables: names of the variables that git gets.
        own: those of them that are ours: settings, and what we add for git.
        config: git's configuration file.
        helper: our `credential.helper`.
        held: returns the credentials as they are in this loop.
        counted: is told how each loop learned what the ref names.
    """

    variables: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    config: Path | None = None
    helper: str = ""
    held: Callable[[], Sequence[Held]] = tuple
    counted: Callable[[str], None] = lambda how: None


class Poller:
    """Asks one remote about one ref."""

    def __init__(
        self,
        settings: Settings,
        root: Path,
        *,
        git: Git,
        log: Log,
        around: Around,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._root, self._git, self._log = settings, root, git, log
        self._around, self._clock = around, clock
        self._asker: Asker | None = None
        self._config: tuple[tuple[str, str], ...] = ()
        self._read_from: object = None  # what the files of the configuration were like when it was read
        self._failed = 0  # questions in a row
        self._silent = dict.fromkeys((HTTP, LS_REMOTE), float("-inf"))  # how → until when it is not used
        self._told = ""

    def names_still(self, commit: str, deadline: float) -> bool:
        """Return whether the remote says that the ref names *commit*; False also when it says nothing.

        Only to be called after a sync that went well. Whatever the server does, this does not raise.
        """
        settings = self._settings
        if settings.poll == FETCH or not naming.can_be_asked(settings.ref):
            return False
        how = FETCH
        try:
            setup = self._setup()
            how = self._how(setup)
            if how == FETCH:
                return False
            answer = self._over_http(setup, deadline) if how == HTTP else self._by_ls_remote(deadline)
        except (OSError, GitError, ProtocolError) as error:
            self._struck(how, error)
            self._log.info(2, "no answer from the remote, fetching", how=how, reason=str(error))
            return False
        self._failed = 0
        self._log.info(3, "asked the remote", how=how, ref=settings.ref, remote=answer)
        if answer == commit:
            self._around.counted(how)
        return answer == commit

    def fetches(self) -> None:
        """Count a loop that asks by a fetch."""
        self._around.counted(FETCH)

    def close(self) -> None:
        """End the connection."""
        if self._asker is not None:
            self._asker.close()

    def _how(self, setup: Setup) -> str:
        reason = objection(setup) or self._quiet(HTTP)
        if reason is None:
            return HTTP
        if reason != self._told:
            self._log.info(1, "the remote is asked by git, not in process", reason=reason)
            self._told = reason
        return LS_REMOTE if self._quiet(LS_REMOTE) is None else FETCH

    def _quiet(self, how: str) -> str | None:
        return "it brought no answer lately" if self._clock() < self._silent[how] else None

    def _struck(self, how: str, error: Exception) -> None:
        """Remember it; a server that cannot answer in few words is not asked for them in another way."""
        self._failed += 1
        hopeless = isinstance(error, (NotVersion2, TooLong))
        if hopeless or self._failed >= _PATIENCE:
            for way in self._silent if hopeless else [how]:
                self._silent[way] = self._clock() + _SILENCE
            self._failed = 0

    def _setup(self) -> Setup:
        around, settings = self._around, self._settings
        setup = Setup(
            repo=settings.repo,
            ref=settings.ref,
            git=settings.git,
            variables=around.variables,
            own=around.own,
            netrc=os.path.exists(os.path.expanduser("~/.netrc")),
            helper=around.helper,
            held=around.held(),
        )
        if objection(setup) is not None:
            return setup
        return dataclasses.replace(setup, config=self._configuration())

    def _configuration(self) -> tuple[tuple[str, str], ...]:
        """Return what git reads in the repository; asked of git again when a file of it has changed."""
        folder = self._root / ".git"
        files = [folder / "config", folder / "config.worktree", *filter(None, [self._around.config])]
        now = [_state(path) for path in files]
        if now != self._read_from:
            self._config = pairs(self._git.run(["config", "--list", "-z"], self._root, private=True))
            self._read_from = now
        return self._config

    def _over_http(self, setup: Setup, deadline: float) -> str | None:
        if self._asker is None:
            from podmates_gitsync.polling.asking import Asker  # late: not every remote is one of http

            where = endpoint(setup.repo)
            if where is None:
                raise ExchangeError("not an address to ask")  # an objection holds for it
            self._asker = Asker(where, setup.ref, clock=self._clock)
        return self._asker.ask(credential(setup), min(self._share(deadline), self._clock() + _LIMIT))

    def _by_ls_remote(self, deadline: float) -> str | None:
        ref = self._settings.ref
        self._git.deadline = self._share(deadline)
        try:
            text = self._git.run(["ls-remote", self._settings.repo, ref, f"{ref}^{{}}"], self._root)
        finally:
            self._git.deadline = deadline
        return naming.resolve(ref, naming.listed(text))

    def _share(self, deadline: float) -> float:
        """Return a deadline that leaves the fetch enough of the loop's time."""
        now = self._clock()
        return now + (deadline - now) * _SHARE


def pairs(listed: str) -> tuple[tuple[str, str], ...]:
    """Return key and value of each entry of ``git config --list -z``."""
    entries = [entry.partition("\n") for entry in listed.split("\0") if entry]
    return tuple((key, value) for key, _, value in entries)


def _state(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
