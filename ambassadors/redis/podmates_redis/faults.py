"""Errors of ours that nobody foresaw: told with where they come from, counted, ended with whom they concern.

Such an error leaves a client, or a connection to a server, in a state that nobody knows. To go on might give
it the reply of another request, or none for ever.
"""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from podmates_redis.session.tally import Tally

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Fallible(Protocol):
    """Who can be ended on its own."""

    def fail(self, error: Exception) -> None: ...


F = TypeVar("F", bound=Fallible)


def note(tally: Tally, what: str, error: BaseException) -> None:
    """Tell and count an error of ours, whose own text is left out: it may hold what a client has sent."""
    tally.faults += 1
    log.error("%s, since nobody foresaw %s: %s", what, type(error).__name__, _places(error))


def _places(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))


def guarded(method: Callable[Concatenate[F, P], T]) -> Callable[Concatenate[F, P], T | None]:
    """Have an error that *method* raises end whom it concerns, and nobody else: its own `fail` is called."""

    @functools.wraps(method)
    def call(self: F, *args: P.args, **named: P.kwargs) -> T | None:
        try:
            return method(self, *args, **named)
        except Exception as error:
            self.fail(error)
            return None

    return cast("Callable[Concatenate[F, P], T | None]", call)


def handler(tally: Tally) -> Callable[[Any, dict[str, Any]], None]:
    """Return what an event loop is to do about errors that reached nobody else."""

    def heed(loop: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, OSError):
            loop.default_exception_handler(context)
        else:
            note(tally, str(context.get("message")), error)

    return heed
