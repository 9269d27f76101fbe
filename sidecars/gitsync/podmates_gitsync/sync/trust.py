"""Whether a sync may take the volume for sound at a glance, or must walk all objects first.

To walk them takes as long as there are objects, and an outage may last for days: a close look that did not
help is not repeated for the same failure.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")


class Trust:
    """What the syncs of one process have found out about their volume."""

    def __init__(self) -> None:
        self._sound = False
        self._hopeless = ""  # the failure that a close look did not help
        self._uncollected = ""  # the failure that keeps garbage from being collected
        self.looked = False  # this sync looked closely, and found or made a sound repository

    def take(self) -> bool:
        """Return whether a glance is enough now; it is not again before this sync's end was told."""
        sound, self._sound, self.looked = self._sound, False, False
        return sound

    def went_well(self) -> None:
        self._sound, self._hopeless = True, ""

    @property
    def is_in_trouble(self) -> bool:
        """Whether the last close look did not help, and nothing went well since."""
        return bool(self._hopeless)

    def is_hopeless(self, error: Exception) -> bool:
        """Return whether a close look did not help against the same failure."""
        return _words(error) == self._hopeless

    def failed(self, error: Exception) -> None:
        """Take notice of a sync that failed."""
        if self.looked:
            self._hopeless = _words(error)
        self._sound = self.is_hopeless(error)

    def collected(self) -> None:
        """Garbage was collected."""
        self._uncollected = ""

    def not_collected(self, error: Exception) -> None:
        """Take notice of a clean-up that failed: of a damaged repository that may be the first sign."""
        if _words(error) != self._uncollected:
            self._sound, self._uncollected = False, _words(error)


def _words(error: Exception) -> str:
    return _WORD.sub(_kept, str(error)) or "…"


def _kept(word: re.Match[str]) -> str:
    # Two failures of one kind differ in times, ports, hashes and names of temporary files.
    varies = word[0].startswith("tmp_") or _DIGIT.search(word[0])
    return "…" if varies else word[0]
