"""The entry of a source that reads log files as they grow."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_metrics.formats.base import Format
from podmates_metrics.native.formats import decode_line_format
from podmates_metrics.native.pulls import paths
from podmates_metrics.tailing.following import Start
from podmates_metrics.tree import Keys, one_of

_STARTS: dict[str, Start] = {"end": "end", "start": "start", "saved": "saved"}


@dataclass(frozen=True, slots=True)
class Log:
    """*start* is where files that are there already are begun; *state* the file that remembers how far."""

    name: str
    paths: tuple[str, ...]
    format: Format
    start: Start = "end"
    state: str = ""

    @property
    def fields(self) -> frozenset[str] | None:
        """The names that its records have; None: any may come."""
        own = self.format.fields
        return None if own is None else own | {"@file"}


def decode_log(name: str, entry: Keys) -> Log:
    """Return the source *name*.

    Raises:
        Fault: the first thing that is wrong, with its line and key path.
    """
    start: Start = entry.scalar("from", one_of(_STARTS, "{}: want end, start or saved"), "end")
    state = entry.text("state")
    if state and not state.startswith("/"):
        raise entry.place("state").fault("want an absolute path")
    if bool(state) != (start == "saved"):
        raise entry.place("state").fault("from: saved and a file of state go together")
    return Log(name, paths(entry), decode_line_format(entry), start, state)
