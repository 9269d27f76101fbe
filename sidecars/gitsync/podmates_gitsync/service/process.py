"""The running process: its repositories, its signals, and how it ends."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import MutableMapping, Sequence

from podmates_common.redact import Redactor
from podmates_gitsync.errors import StartError
from podmates_gitsync.flags.load import Command
from podmates_gitsync.flags.repositories import Told
from podmates_gitsync.flags.validate import signal_number
from podmates_gitsync.reports import others
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.service import startup
from podmates_gitsync.service.inbox import End, Inbox
from podmates_gitsync.service.worker import Parts, Shared, Worker

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
# What would end Python and does not end a Go program.
_IGNORED = (
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO),
    *(signal.SIGPWR, signal.SIGXCPU, *range(signal.SIGRTMIN, signal.SIGRTMAX + 1)),
)


class Process:
    """Everything that runs, from the first line of the log to the exit status.

    Args:
        command: what the whole process was told.
        repositories: what each repository was.
        environ: of this process; passwords are taken out of it.
        notes: lines for the log.
    """

    def __init__(
        self,
        command: Command,
        repositories: Sequence[Told],
        environ: MutableMapping[str, str],
        notes: Sequence[str],
    ) -> None:
        self._command, self._notes, self._environ = command, notes, environ
        redactor = Redactor()
        self._log = Log(command.settings.verbose, redactor=redactor)
        self._inbox = Inbox()
        self._lock, self._statuses = threading.Lock(), list[int]()  # of repositories that have ended
        self._shared = Shared(self._log, redactor, environ, dict(environ))
        self._workers = [Worker(told, self._shared, name) for name, told in repositories]

    def run(self) -> int:
        """Return the exit status; a signal that means death is answered by dying of it."""
        others.listen(self._log)
        try:
            end = self._until_end()
        except Exception as error:  # nobody foresaw it: no program may outlive us all the same
            self._log.error(others.unforeseen(error), "unexpected error, aborting", trace=others.trace(error))
            end = End(status=1)
        return self._end(end)

    def _until_end(self) -> End:
        self._listen_to_signals()
        startup.announce(self._command, self._log, self._environ)
        for note in self._notes:
            self._log.info(0, note)
        able = [worker for worker in self._workers if self._places_made(worker)]
        if not self._user_is_known():
            return End(status=1)
        startup.enter_empty_directory()
        startup.strip_secrets(self._command, self._environ)
        prepared = [(worker, parts) for worker in able if (parts := self._prepared(worker))]
        if prepared and self._serves():
            for worker, parts in prepared:
                self._start(worker, parts)
        return self._inbox.get(nudged=self._wake)

    def _user_is_known(self) -> bool:
        try:
            startup.ensure_user(self._command.settings, self._environ, self._log)
        except StartError as error:
            for worker in self._workers:
                worker.log.error(error, "cannot start")
            return False
        return True

    def _start(self, worker: Worker, parts: Parts) -> None:
        try:
            worker.start(parts, self._ended)
        except OSError as error:
            self._cannot_start(worker, error)

    def _places_made(self, worker: Worker) -> bool:
        try:
            return bool(worker.places)
        except Exception as error:
            return self._cannot_start(worker, error)

    def _prepared(self, worker: Worker) -> Parts | None:
        try:
            return worker.prepare()
        except Exception as error:
            self._cannot_start(worker, error)
            return None

    def _cannot_start(self, worker: Worker, error: Exception) -> bool:
        worker.give_up(error, "cannot start")
        self._ended(1)
        return False

    def _ended(self, status: int) -> None:
        """A repository has nothing more to do; the last one ends the process, with the worst status."""
        with self._lock:
            self._statuses.append(status)
            if len(self._statuses) == len(self._workers):
                self._inbox.put(End(status=max(self._statuses)))

    def _serves(self) -> bool:
        """Listen where that is asked for; False, and the process ends, when it cannot."""
        settings = self._command.settings
        if not (settings.http_bind or settings.push_bind):
            return True
        from podmates_gitsync.service import listeners  # aiohttp: only when it is used

        try:
            listeners.start(self._command, self._workers, self._shared, self._http_died)
        except StartError as error:
            self._workers[0].log.error(error, "cannot start")
            self._inbox.put(End(status=1))
            return False
        return True

    def _http_died(self) -> None:
        self._workers[0].log.error(None, "HTTP server died")
        self._inbox.put(End(status=1))

    def _listen_to_signals(self) -> None:
        self._inbox.listen_to_signals()
        for number in _IGNORED:  # by a function: an ignored signal would stay ignored in git and hooks
            signal.signal(number, lambda *_: None)
        for number in _ENDING:
            signal.signal(number, lambda number, _: self._inbox.put(End(signal=number)))
        name = self._command.settings.sync_on_signal
        chosen = signal_number(name) if name else None
        if chosen is not None:
            with contextlib.suppress(OSError, ValueError):  # a number that is no signal never comes
                signal.signal(chosen, lambda *_: self._inbox.nudge())

    def _wake(self) -> None:
        for worker in self._workers:
            worker.state.wishes.signal()

    def _end(self, end: End) -> int:
        self._log.close()  # first: what is killed now has not failed, and nobody is to be told that it has
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.close()
        if end.signal == signal.SIGQUIT:
            faulthandler.dump_traceback(all_threads=True)
            return 2
        if end.signal == signal.SIGINT and all(worker.state.parked for worker in self._workers):
            return 0
        if end.signal:  # nothing is flushed: a thread may be in a write to a log that nobody reads
            signal.signal(end.signal, signal.SIG_DFL)
            os.kill(os.getpid(), end.signal)
        return end.status
