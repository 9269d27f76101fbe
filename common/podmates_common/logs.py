"""Log lines on standard error: JSON, logfmt or text, one per event, without secrets.

A line never holds a line break, so that what a peer sent cannot forge one. A state that lasts (the
master is away) is an event when it begins, when its reason changes and when it ends; `Condition`
keeps the retries in between out of the log.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import select
import stat
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from podmates_common.redact import Redactor

_BURST = 50.0  # lines


def setup(
    *,
    form: str = "text",
    level: str = "info",
    redactor: Redactor | None = None,
    stream: TextIO | None = None,
    rate: float = 0.0,
) -> None:
    """Send all logging from *level* up to *stream* (standard error).

    *form* is ``text``, for people, or ``logfmt`` or ``json``, for programs. *rate*: lines of one kind a
    second, in the long run; 0: any number.
    """
    handler = Unwaiting(stream or sys.stderr)
    handler.setFormatter(Line(form, redactor or Redactor()))
    if rate:
        handler.addFilter(Rated(rate))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a reader of our log that went away must not add to it


class Unwaiting(logging.StreamHandler[TextIO]):
    """Leaves out lines for which their reader has made no room, and says so: nobody is to wait for it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lost = 0  # lines, since the last that was written
        self._room = select.poll()
        self._pipe = _pipe(stream)
        if self._pipe >= 0:
            self._room.register(self._pipe, select.POLLOUT)

    def emit(self, record: logging.LogRecord) -> None:
        if self._pipe >= 0 and not self._takes(len(self.format(record).encode(errors="replace")) + 1):
            self._lost += 1
            return
        if self._lost:
            told = f"{self._lost} lines left out, since nobody read the log"
            self._lost = 0
            super().emit(logging.makeLogRecord({"msg": told, "levelname": "WARNING", "name": __name__}))
            self.emit(record)
        else:
            super().emit(record)

    def _takes(self, size: int) -> bool:
        """Tell whether the pipe takes so many bytes at once."""
        if size <= select.PIPE_BUF:
            return bool(self._room.poll(0))
        unread = int.from_bytes(fcntl.ioctl(self._pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
        # half of it, since each write may leave some of its last page unused; who has read all reads on
        return not unread or unread + size < fcntl.fcntl(self._pipe, fcntl.F_GETPIPE_SZ) // 2


def _pipe(stream: TextIO) -> int:
    """Return the descriptor of a pipe; -1: it is something else, which nobody has to read."""
    try:
        descriptor = stream.fileno()
        return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else -1
    except (OSError, ValueError):  # it is in memory, or closed
        return -1


class Line(logging.Formatter):
    """One record, one line; ``extra={"fields": {...}}`` adds keys."""

    def __init__(self, form: str, redactor: Redactor) -> None:
        super().__init__()
        self._write = {"json": _as_json, "logfmt": _as_logfmt, "text": _as_text}[form]
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        entry: dict[str, Any] = {"time": _timestamp(record.created), "level": record.levelname.lower()}
        entry |= {"logger": record.name, "message": message}
        entry |= {
            name: value if isinstance(value, int | float) else str(value) for name, value in fields.items()
        }
        if trace:
            entry["exception"] = trace
        # Before encoding: a secret with a quote in it reads differently afterwards.
        clean = {k: self._redactor.clean(v) if isinstance(v, str) else v for k, v in entry.items()}
        return self._write(clean)


def _timestamp(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def _as_json(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=True, default=str)


def _as_logfmt(entry: Mapping[str, Any]) -> str:
    names = {"message": "msg"}  # as logfmt's readers know it
    return " ".join(f"{names.get(name, name)}={_quoted(str(value))}" for name, value in entry.items())


def _quoted(text: str) -> str:
    plain = text and text.isascii() and text.isprintable() and not set(text) & set(' ="')
    return text if plain else json.dumps(text)


def _as_text(entry: Mapping[str, Any]) -> str:
    head = f"{entry['time']} {entry['level'].upper():<7} {entry['message']}"
    rest = {k: v for k, v in entry.items() if k not in {"time", "level", "logger", "message", "exception"}}
    line = " ".join([head, *(f"{name}={value}" for name, value in rest.items())])
    if "exception" in entry:
        line += f" exception={entry['exception']!r}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class Rated(logging.Filter):
    """Lets *rate* lines a second of each kind pass, and _BURST at once; the next one says how many did not.

    Of a kind are lines of one place in the code, so strangers cannot make kinds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._rate, self._clock = rate, clock
        self._kinds: dict[tuple[str, int], tuple[float, float, int]] = {}  # left, when, passed over
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now = (record.pathname, record.lineno), self._clock()
        with self._lock:
            left, then, over = self._kinds.get(kind, (_BURST, now, 0))
            left = min(_BURST, left + (now - then) * self._rate)
            passes = left >= 1.0
            self._kinds[kind] = (left - 1.0, now, 0) if passes else (left, now, over + 1)
        if passes and over:
            record.msg, record.args = f"{record.getMessage()} (left out before: {over} like it)", ()
        return passes


class Condition:
    """A trouble that may last: logged when it begins, when its reason changes, and when it ends.

    Args:
        logger: where the lines go.
        name: what is in trouble, as the line begins: ``master``.
        clock: seconds, for how long it lasted.
    """

    def __init__(
        self, logger: logging.Logger, name: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger, self._name, self._clock = logger, name, clock
        self._reason, self._since, self._tries = "", 0.0, 0

    @property
    def reason(self) -> str:
        """Why it is in trouble now; empty when it is not."""
        return self._reason

    def fail(self, reason: str) -> None:
        """Note a failed try; a line is written unless the try before failed for the same reason."""
        if not self._reason:
            self._since, self._tries = self._clock(), 0
        self._tries += 1
        if reason != self._reason:
            self._logger.warning("%s: %s", self._name, reason)
        self._reason = reason

    def ok(self) -> None:
        """Note that it works; a line is written if it did not before."""
        if self._reason:
            lasted = self._clock() - self._since
            self._logger.info("%s: works again after %.1f s, tries=%d", self._name, lasted, self._tries)
        self._reason = ""
