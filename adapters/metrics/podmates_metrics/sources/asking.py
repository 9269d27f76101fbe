"""How a target is asked, whatever it is: what the ways have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from podmates_common.files import TooLarge, read_small, why_unread
from podmates_metrics.background import aside
from podmates_metrics.native.pulls import MAX_SEND, Said
from podmates_metrics.statsd.engine import Totals


class SourceProblem(Exception):
    """The target did not give what it should; the text is for the operator, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the target said: bodies with the files that they are from, and what was wrong with others.

    *same* is nothing new since the last time.
    """

    bodies: Sequence[tuple[str, bytes]]
    problem: str = ""
    same: bool = False


class Way(Protocol):
    """A way to a target."""

    async def fetch(self) -> Answer:
        """Return the answer. Raises SourceProblem."""

    async def close(self) -> None:
        """Let go of connections."""

    def totals(self) -> Totals:
        """Return the values of the self metrics that only this way has."""


async def said(what: Said) -> bytes:
    """Return a text of the rules, or the content of its file now: a secret may change.

    Raises:
        SourceProblem: the file cannot be read.
    """
    if not what.file:
        return what.text.encode()
    return await aside(lambda: _content(what.file), "secret")


def _content(path: str) -> bytes:
    try:
        return read_small(path, MAX_SEND)
    except (OSError, TooLarge) as error:
        raise SourceProblem(f"{path}: {why_unread(error)}") from None
