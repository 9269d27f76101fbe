"""What libraries have to say, and what threads of theirs and of ours die of, as lines of our log."""

from __future__ import annotations

import logging
import threading
import traceback
from typing import Any

from podmates_gitsync.reports.logs import Log


def listen(log: Log) -> None:
    """Log from now on what would be printed as plain text: warnings and faults of the whole process."""
    logging.getLogger().addHandler(_Handler(log))

    def died(fault: threading.ExceptHookArgs) -> None:
        if fault.exc_value is not None:
            name = fault.thread.name if fault.thread else ""
            log.error(unforeseen(fault.exc_value), "thread died", thread=name, trace=trace(fault.exc_value))

    threading.excepthook = died


def unforeseen(error: BaseException) -> str:
    """Return an exception that nobody foresaw as one line: its text alone often says nothing."""
    return f"{type(error).__name__}: {error}"


def trace(error: BaseException) -> list[str]:
    """Return where it came from, as lines."""
    return "".join(traceback.format_exception(error)).splitlines()


class _Handler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        more: dict[str, Any] = {} if error is None else {"trace": trace(error)}
        reason = None if error is None else unforeseen(error)
        self._log.error(reason, record.getMessage(), library=record.name, **more)
