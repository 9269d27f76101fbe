"""One repository: its parts, made in git-sync's order of start-up, and the thread that syncs it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from podmates_common.redact import Redactor
from podmates_gitsync import threads
from podmates_gitsync.auth.authenticator import Authenticator
from podmates_gitsync.auth.github import KeyFileError
from podmates_gitsync.errors import StartError
from podmates_gitsync.flags.load import Command
from podmates_gitsync.git import signatures
from podmates_gitsync.git.commands import Git, import_gitpython
from podmates_gitsync.git.signatures import Signatures
from podmates_gitsync.git.urls import bare
from podmates_gitsync.hooks.hookset import HookSet, Place
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.polling.eligibility import Held
from podmates_gitsync.polling.poller import Around, Poller
from podmates_gitsync.programs import Running
from podmates_gitsync.reports import others
from podmates_gitsync.reports.files import ErrorFile, error_file
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.reports.progress import Progress, wanted
from podmates_gitsync.reports.status import Rejected
from podmates_gitsync.service import startup
from podmates_gitsync.settings import Settings
from podmates_gitsync.sync.admission import Rules
from podmates_gitsync.sync.loop import Loop, Surroundings
from podmates_gitsync.sync.refusals import Refusals
from podmates_gitsync.sync.state import State
from podmates_gitsync.sync.syncer import Syncer
from podmates_gitsync.sync.wishes import Wishes
from podmates_gitsync.trees import publish


class Shared(NamedTuple):
    """What the repositories of one process have in common."""

    log: Log
    redactor: Redactor
    environ: MutableMapping[str, str]  # of this process, without passwords
    saved: Mapping[str, str]  # as it was given to us: hooks get it, secrets included


class Parts(NamedTuple):
    """What `prepare` made, for `start`."""

    git: Git
    authenticator: Authenticator
    additions: Mapping[str, str]
    helper: str  # our `credential.helper`


class Worker:
    """Keeps one root in step with one ref.

    Args:
        command: what this repository was told.
        name: how it is called where there are several; empty when it is the only one.

    Attributes:
        settings: without what the URL had of a user and a password.
        state: what the rest of the process sees of it, and wakes it by.
        metrics: its own counts.
    """

    def __init__(self, command: Command, shared: Shared, name: str = "") -> None:
        self.name, self._command, self._shared = name, command, shared
        given = command.settings
        self.settings = _absolute(replace(given, repo=bare(given.repo).url))
        self.metrics, self.state = Metrics(), State(wishes=Wishes(self.settings.push_debounce))
        self._running = Running()
        self._authenticator = Authenticator(given, shared.environ, self.metrics)
        self._error_file: ErrorFile | None = error_file(self.settings.root, self.settings.error_file)
        log = shared.log.bound(repo=name) if name else shared.log
        self._log = log.observed(self._error_file.observe) if self._error_file else log
        self._cleanup = contextlib.ExitStack()
        self._places: startup.Places | None = None

    @property
    def log(self) -> Log:
        """Where errors of this repository go, into its error file too."""
        return self._log

    @property
    def places(self) -> startup.Places:
        """Where everything is; made at the first use, while the working directory is the user's.

        Raises:
            StartError
        """
        self._places = self._places or startup.make_places(self.settings, self._log)
        return self._places

    def prepare(self) -> Parts:
        """Make everything else that a sync needs, up to git's answer to whether it can work.

        Raises:
            StartError: this repository cannot be synced.
        """
        shared = self._shared
        try:
            helper = self._authenticator.open(shared.redactor, self.places.root)
        except OSError as error:
            raise StartError(f"no place for git's passwords: {error}") from None
        self._cleanup.callback(self._authenticator.close)
        config, additions = startup.make_config(
            self.settings, shared.environ, helper, redactor=shared.redactor
        )
        self._cleanup.callback(config.remove)
        import_gitpython(shared.environ)
        git = Git(self.settings.git, additions, self._log, self._running)
        told, drawn = wanted(self.settings.progress, sys.stderr)
        if told and not (self.places.root / ".git" / "FETCH_HEAD").exists():
            git.progress = Progress(self._log, self.metrics.cloned, drawn)
        startup.ask_git(git, self._log)
        self._check_signing(additions)
        return Parts(git, self._authenticator, additions, helper)

    def _check_signing(self, additions: Mapping[str, str]) -> None:
        if self.settings.verify != "off":
            signers = Path(self.settings.verify_ssh_allowed_signers_file)
            environment = {**self._shared.environ, **additions}
            synced = [place for place in (self.places.root, self.places.mirror) if place is not None]
            if trouble := signatures.trouble(signers, synced, environment, self._running):
                raise StartError(f"cannot verify signatures: {trouble}")

    def _recall(self, link: Path) -> None:
        """Know what an earlier process published and refused, to tell it before the first sync."""
        told = self.state.status
        for old in Refusals(self.places.root).listed():
            told = told.refused(Rejected(old.hash, old.reason, old.at))
        with contextlib.suppress(OSError):
            if published := publish.read(link):
                told = replace(told, hash=Path(published).name, published_at=link.lstat().st_mtime)
        self.state.status = told
        self.metrics.know(told, self.settings.ref)

    def start(self, parts: Parts, ended: Callable[[int], None]) -> None:
        """Sync in a thread of its own; *ended* gets the exit status when there is nothing more to do.

        Raises:
            OSError: there is no room for the thread.
        """
        threads.start(self._run, parts, ended, name=f"sync {self.name}".strip())

    def _run(self, parts: Parts, ended: Callable[[int], None]) -> None:
        status = 1
        try:
            with contextlib.ExitStack() as leaving:  # others may go on for long, and somebody may want root
                status = self._loop(parts, leaving).run()
        except KeyFileError as error:
            self.give_up(error, "cannot authenticate, aborting")
        except Exception as error:
            self.give_up(error, "unexpected error, aborting")
        finally:
            self.state.end(status)
            ended(status)

    def give_up(self, error: Exception, message: str) -> None:
        """Tell everywhere that no sync follows, because of *error*; of one that nobody foresaw also where."""
        if isinstance(error, StartError | KeyFileError):
            reason = str(error)
            self._log.error(reason, message)
        else:
            reason = others.unforeseen(error)
            self._log.error(reason, message, trace=others.trace(error))
        self.state.status = self.state.status.failed(self._log.cleaned(reason))
        self.metrics.know(self.state.status, self.settings.ref)
        self.state.end(1)

    def _loop(self, parts: Parts, leaving: contextlib.ExitStack) -> Loop:
        settings, places = self.settings, self.places
        self._recall(places.link)
        hooks = HookSet(
            settings,
            Place(places.root, places.link),
            {**self._shared.saved, **parts.additions},
            log=self._log,
            metrics=self.metrics,
            running=self._running,
        )
        syncer = Syncer(
            settings,
            places.root,
            places.link,
            git=parts.git,
            log=self._log,
            hooks=hooks.handed(),
            rules=self._rules(parts, hooks),
            authenticate=lambda: parts.authenticator.authenticate(parts.git),
            poller=self._poller(parts),
            mirror=startup.make_mirror(settings, places, parts.git, self._log),
            waiting=self.state.wait,
        )
        leaving.callback(syncer.close)
        leaving.callback(self.kill)  # before somebody else has root
        leaving.callback(hooks.close)
        around = Surroundings(
            self._log, self.metrics, self.state, hooks.runners, self._error_file, places.touch_file
        )
        given = "init_max_failures" in self._command.present
        return Loop(settings, syncer, around, first_limit=settings.init_max_failures if given else None)

    def _poller(self, parts: Parts) -> Poller:
        declared = {name for row in self._command.loaded.rows for name in row.variables}
        around = Around(
            variables=frozenset(self._shared.environ),
            own=frozenset(declared | parts.additions.keys()),
            config=Path(parts.additions["GIT_CONFIG_GLOBAL"]),
            helper=parts.helper,
            held=lambda: [Held(*pair) for pair in parts.authenticator.held],
            counted=self.metrics.polled,
        )
        return Poller(self.settings, self.places.root, git=parts.git, log=self._log, around=around)

    def _rules(self, parts: Parts, hooks: HookSet) -> Rules:
        settings = self.settings
        rules = Rules(gate=hooks.gate, audit=settings.verify == "audit", count=self.metrics.rejected)
        if settings.verify == "off":
            return rules

        def git(more: Mapping[str, str]) -> Git:
            return Git(settings.git, {**parts.additions, **more}, self._log, self._running)

        signers = Path(settings.verify_ssh_allowed_signers_file)
        signs = Signatures(git, self.places.root, objects=settings.verify_objects, signers=signers)
        return replace(rules, signatures=signs)

    def kill(self) -> None:
        """Kill every program of this repository, git and hooks, and whatever is started from now on."""
        self._running.kill()

    def close(self) -> None:
        """Remove what was made for this repository outside its root, passwords first."""
        self._cleanup.close()


def _absolute(settings: Settings) -> Settings:
    """Return *settings* with files as they are named from the user's working directory, which we leave."""
    names = ("verify_ssh_allowed_signers_file", "webhook_secret_file", "sparse_checkout_file")
    given = {name: getattr(settings, name) for name in names}
    files: dict[str, Any] = {name: os.path.abspath(path) for name, path in given.items() if path}
    if "/" in settings.git:
        files["git"] = os.path.abspath(settings.git)
    secrets = tuple(os.path.abspath(name) for name in settings.push_secret_file)
    return replace(settings, push_secret_file=secrets, **files)
