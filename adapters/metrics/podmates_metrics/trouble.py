"""Troubles that nobody expected, after which the next thing is done all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

from podmates_common.logs import Condition


@contextmanager
def going_on(condition: Condition) -> Iterator[None]:
    """Go on after what is raised within; *condition* tells its kind, as its text may be anything."""
    try:
        yield
    except Exception as error:
        condition.fail(type(error).__name__)
    else:
        condition.ok()


async def done(work: Awaitable[object], condition: Condition) -> None:
    """Do *work* and go on, as `going_on` does."""
    with going_on(condition):
        await work
