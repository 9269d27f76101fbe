"""The running process: its threads, its signals, and how it ends."""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from podmates_common import parse
from podmates_common.redact import Redactor
from podmates_gitsync import startup
from podmates_gitsync.auth.credentials import Store, gather
from podmates_gitsync.flags.load import Command
from podmates_gitsync.flags.validate import signal_number
from podmates_gitsync.git.commands import Git, import_gitpython
from podmates_gitsync.git.urls import bare
from podmates_gitsync.inbox import End, Inbox
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.processes import Running
from podmates_gitsync.reports.files import ErrorFile
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.startup import StartError
from podmates_gitsync.sync.loop import Loop, State, Surroundings
from podmates_gitsync.sync.syncer import Syncer

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_IGNORED = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF)


class Process:
    """Everything that runs, from the first line of the log to the exit status."""

    def __init__(self, command: Command, environ: MutableMapping[str, str], notes: Sequence[str]) -> None:
        self._command, self._notes, self._environ = command, notes, environ
        # From here on only the credentials know what the URL had of them.
        self._settings = dataclasses.replace(command.settings, repo=bare(command.settings.repo).url)
        self._saved = dict(environ)  # hooks get what we got, secrets included
        self._running, self._metrics, self._state = Running(), Metrics(), State()
        self._inbox = Inbox()
        self._error_file = error_file(self._settings.root, self._settings.error_file)
        self._redactor = Redactor()
        log = Log(self._settings.verbose, redactor=self._redactor)
        self._log = log.observed(self._error_file.observe) if self._error_file else log
        self._cleanup = contextlib.ExitStack()

    def run(self) -> int:
        """Return the exit status; a signal that means death is answered by dying of it."""
        self._listen_to_signals()
        startup.announce(self._command, self._log, self._environ)
        for note in self._notes:
            self._log.info(0, note)
        try:
            self._start()
        except StartError as error:
            self._log.error(error, "cannot start")
            return self._end(End(status=1))
        return self._end(self._inbox.get())

    def _start(self) -> None:
        settings, environ = self._settings, self._environ
        places = startup.make_places(settings, self._log)
        startup.enter_empty_directory()
        startup.strip_secrets(self._command, environ)
        store = Store(gather(self._command.settings), self._redactor, places.root)
        config, additions = startup.make_config(settings, environ, store.helper)
        self._cleanup.callback(config.remove)
        self._cleanup.callback(store.close)
        import_gitpython(environ)
        git = Git(settings.git, additions, self._log, self._running)
        startup.ask_git(git, self._log)
        if settings.http_bind:
            self._serve()
        hooks = startup.HookSet(
            settings,
            places.root,
            {**self._saved, **additions},
            log=self._log,
            metrics=self._metrics,
            running=self._running,
        )
        syncer = Syncer(
            settings,
            places.root,
            places.link,
            git=git,
            log=self._log,
            hooks=hooks.handed(),
            authenticate=lambda: store.approve(git),
        )
        around = Surroundings(
            self._log, self._metrics, self._state, hooks.runners, self._error_file, places.touch_file
        )
        given = "init_max_failures" in self._command.present
        loop = Loop(settings, syncer, around, first_limit=settings.init_max_failures if given else None)
        threading.Thread(target=self._loop, args=(loop,), name="sync", daemon=True).start()

    def _loop(self, loop: Loop) -> None:
        status = 1  # an exception that nobody foresaw; the interpreter prints it
        try:
            status = loop.run()
        finally:
            self._inbox.put(End(status=status))

    def _serve(self) -> None:
        from podmates_gitsync.reports import web  # aiohttp: only when it is used

        settings = self._settings
        app = web.application(self._state.ready.is_set, self._metrics if settings.http_metrics else None)
        try:
            bound = web.serve(app, parse.address(settings.http_bind), lambda: self._inbox.put(End(status=1)))
        except (OSError, ValueError) as error:
            raise StartError(f"cannot bind HTTP to {settings.http_bind}: {error}") from None
        self._log.info(0, "serving HTTP", endpoint=settings.http_bind, addresses=[str(a) for a in bound])

    def _listen_to_signals(self) -> None:
        self._inbox.listen_to_signals()
        for number in _IGNORED:  # by a function: an ignored signal would stay ignored in git and hooks
            signal.signal(number, lambda *_: None)
        for number in _ENDING:
            signal.signal(number, lambda number, _: self._inbox.put(End(signal=number)))
        chosen = signal_number(self._settings.sync_on_signal) if self._settings.sync_on_signal else None
        if chosen is not None:
            with contextlib.suppress(OSError, ValueError):  # a number that is no signal never comes
                signal.signal(chosen, lambda *_: self._state.wake.set())

    def _end(self, end: End) -> int:
        self._running.kill()
        self._cleanup.close()
        if end.signal == signal.SIGQUIT:
            faulthandler.dump_traceback(all_threads=True)
            return 2
        if end.signal == signal.SIGINT and self._state.parked:
            return 0
        if end.signal:
            sys.stderr.flush()
            signal.signal(end.signal, signal.SIG_DFL)
            os.kill(os.getpid(), end.signal)
        return end.status


def error_file(root: str, name: str) -> ErrorFile | None:
    """Return the error file, if one is configured; a relative one is below root as it was given."""
    return ErrorFile(Path(os.path.abspath(root)) / name) if name else None
