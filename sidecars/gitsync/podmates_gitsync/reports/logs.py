"""git-sync's log: one JSON object a line on standard error, with its keys in its order."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from podmates_common.redact import Redactor

Observer = Callable[[str, str | None, dict[str, Any]], None]


class Log:
    """Writes lines of up to *verbosity*; errors always.

    Args:
        verbosity: 0 updates and start-up, 2 the loop, 5 every command, 6 what it printed.
        redactor: cleans every line.
        stream: where to.
        observer: sees each error (message, error, pairs), for the error file.
        bound: pairs for every line.
        closed: of the log that it is made from.
    """

    def __init__(
        self,
        verbosity: int = 0,
        *,
        redactor: Redactor | None = None,
        stream: TextIO | None = None,
        observer: Observer | None = None,
        name: str = "",
        bound: Mapping[str, Any] | None = None,
        closed: threading.Event | None = None,
    ) -> None:
        self.verbosity = verbosity
        self._redactor = redactor or Redactor()
        self._stream = stream or sys.stderr
        self._observer = observer
        self._name = name
        self._bound = dict(bound or {})
        self._closed = closed or threading.Event()

    def named(self, name: str) -> Log:
        """Return a log for a hook: its own name, and errors that no observer sees."""
        return self._like(name=name)

    def observed(self, observer: Observer) -> Log:
        """Return the same log with errors that *observer* sees."""
        return self._like(observer=observer)

    def bound(self, **pairs: Any) -> Log:
        """Return a log that puts *pairs* into every line."""
        return self._like(bound=pairs)

    def _like(self, name: str = "", bound: Mapping[str, Any] | None = None, **more: Any) -> Log:
        return Log(
            self.verbosity,
            redactor=self._redactor,
            stream=self._stream,
            name=name,
            bound=self._bound | dict(bound or {}),
            closed=self._closed,
            **more,
        )

    def close(self) -> None:
        """Say nothing more, to nobody; nor does any log that has its origin in common with this one.

        For the end of the process: what goes wrong from then on is because of it.
        """
        self._closed.set()

    def info(self, level: int, message: str, **pairs: Any) -> None:
        """Write *message* if the log is that verbose."""
        if level <= self.verbosity and not self._closed.is_set():
            self._write({"level": level, "msg": message, **pairs})

    def error(self, error: BaseException | str | None, message: str, **pairs: Any) -> None:
        """Write *message* with the reason, which may be None."""
        if self._closed.is_set():
            return
        reason = None if error is None else self.cleaned(str(error))
        self._write({"msg": message, "error": reason, **pairs})
        if self._observer:
            self._observer(message, reason, {key: self._cleaned(value) for key, value in pairs.items()})

    def cleaned(self, text: str) -> str:
        """Return *text* without what must not be shown."""
        return self._redactor.clean(text)

    def _write(self, pairs: dict[str, Any]) -> None:
        frame = sys._getframe(2)
        front = {
            "logger": self._name,
            "ts": datetime.now().isoformat(" ", "microseconds"),
            "caller": {"file": Path(frame.f_code.co_filename).name, "line": frame.f_lineno},
        }
        cleaned = {key: self._cleaned(value) for key, value in (pairs | self._bound).items()}
        line = json.dumps({**front, **cleaned}, ensure_ascii=False, default=str, separators=(",", ":"))
        # Nobody may be listening, or there is no room for it: no reason to stop syncing.
        with _LOCK, contextlib.suppress(OSError):
            self._stream.write(line + "\n")
            self._stream.flush()

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._cleaned(part) for part in value]
        if isinstance(value, dict):
            return {key: self._cleaned(part) for key, part in value.items()}
        return self._redactor.clean(value) if isinstance(value, str) else value


_LOCK = threading.Lock()  # hooks and the loop write at the same time
