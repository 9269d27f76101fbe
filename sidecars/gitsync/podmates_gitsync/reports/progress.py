"""The progress of a first clone: a bar on a terminal, lines of the log elsewhere, and a metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TextIO

from podmates_gitsync.reports.logs import Log
from podmates_gitsync.reports.meter import Meter, Step, bar

_EVERY = 0.1  # of the whole, between two lines of the log


class Progress:
    """Tells of one fetch.

    Args:
        log: gets a line for each tenth when there is no *terminal*.
        tell: gets the ratio, for the metric.
        terminal: where to draw a bar.
    """

    def __init__(self, log: Log, tell: Callable[[float], None], terminal: TextIO | None) -> None:
        self._log, self._tell, self._terminal = log, tell, terminal
        self._meter, self._next = Meter(), 0.0

    def feed(self, data: bytes) -> None:
        """Take what git has printed on standard error."""
        step = self._meter.feed(data.decode("utf-8", "replace"))
        if step is not None:
            self._show(step)

    def _show(self, step: Step) -> None:
        self._tell(step.ratio)
        self._draw(bar(step))
        if self._terminal is None and step.ratio >= self._next:
            self._next = step.ratio + _EVERY
            self._log.info(0, "cloning", phase=step.phase, percent=round(step.ratio * 100))

    def _draw(self, text: str) -> None:
        if self._terminal is None:
            return
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except OSError:  # it is gone, and nobody looks any more: no reason to stop the fetch
            self._terminal = None

    def end(self) -> None:
        """The fetch is done, all of it."""
        self._show(Step("done", 1.0))
        self._draw("\n")


def asked(words: Sequence[str]) -> list[str]:
    """Return the words of a fetch with progress asked for."""
    return ["--progress" if word == "--no-progress" else word for word in words]


def wanted(mode: str, terminal: TextIO) -> tuple[bool, TextIO | None]:
    """Return whether to tell of progress, and where to draw it; *mode* is ``--progress``.

    ``auto`` is on a terminal only: elsewhere git gets the very words that git-sync gives it.
    """
    drawn = terminal if terminal.isatty() else None
    return mode == "on" or (mode == "auto" and drawn is not None), drawn
