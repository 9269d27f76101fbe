"""Log lines on standard error: JSON, logfmt or text, one per event, without secrets.

A line never holds a line break, so that what a peer sent cannot forge one. A state that lasts (the
master is away) is an event when it begins, when its reason changes and when it ends; `Condition`
keeps the retries in between out of the log.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from podmates_common.redact import Redactor

LEVELS = ("debug", "info", "warning", "error")


def setup(
    *,
    form: str = "text",
    level: str = "info",
    redactor: Redactor | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send all logging from *level* up to *stream* (standard error).

    *form* is ``text``, for people, or ``logfmt`` or ``json``, for programs.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Line(form, redactor or Redactor()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a reader of our log that went away must not add to it


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
