"""How far a fetch is, from what git prints with ``--progress``."""

from __future__ import annotations

import re
from typing import NamedTuple

_STEP = re.compile(r"(?:remote: )?([A-Z][a-z]+ [a-z]+): +(\d+)% \(\d+/\d+\)")
# What part of a fetch each phase is, from where to where: most of the time goes by in receiving.
_PHASES = {
    "Counting objects": (0.0, 0.02),
    "Compressing objects": (0.02, 0.1),
    "Receiving objects": (0.1, 0.9),
    "Unpacking objects": (0.1, 0.9),
    "Resolving deltas": (0.9, 1.0),
}
_LONGEST = 1000  # characters of a line that is not complete


class Step(NamedTuple):
    """Where a fetch is."""

    phase: str  # in git's words
    ratio: float  # of the whole, 0 to 1


class Meter:
    """Reads what git prints, however it comes; never goes back."""

    def __init__(self) -> None:
        self._rest = ""
        self._ratio = 0.0

    def feed(self, text: str) -> Step | None:
        """Return the last step that *text* tells of; None when it tells of none."""
        *lines, self._rest = re.split(r"[\r\n]", self._rest + text)
        self._rest = self._rest[-_LONGEST:]
        step = None
        for line in lines:
            found = _STEP.match(line)
            if found and found[1] in _PHASES:
                start, end = _PHASES[found[1]]
                self._ratio = max(self._ratio, start + (end - start) * min(int(found[2]), 100) / 100)
                step = Step(found[1], self._ratio)
        return step


def without_steps(text: str) -> str:
    """Return what else git printed."""
    lines = [line.rpartition("\r")[2] for line in text.split("\n")]
    return "\n".join(line for line in lines if not _STEP.match(line))


def bar(step: Step, width: int = 30) -> str:
    """Return a line for a terminal, which begins where the one before began."""
    full = int(step.ratio * width)
    return f"\r[{'#' * full}{'.' * (width - full)}] {step.ratio:4.0%} {step.phase:20}"
