"""Errors of ours that nobody foresaw: whom they end, and what is told of them."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

import pytest

from podmates_redis import faults
from podmates_redis.marks import Follower
from podmates_redis.servers.dependents import Dependents
from podmates_redis.session.tally import Tally


class Dependent:
    """Who fails when it is told something."""

    def __init__(self, *, wrong: bool) -> None:
        self.wrong, self.told, self.failures = wrong, 0, list[Exception]()

    def master_moved(self) -> None:
        self.told += 1
        if self.wrong:
            raise KeyError("secret")

    def eject(self, follower: Follower) -> None:
        self.master_moved()

    def fail(self, error: Exception) -> None:
        self.failures.append(error)

    @faults.guarded
    def guarded(self, number: int) -> int:
        return 10 // number


def test_what_goes_wrong_with_one_keeps_no_other_from_being_told() -> None:
    everybody = [Dependent(wrong=wrong) for wrong in (True, False, True, False)]
    all_of_them = Dependents(everybody)
    all_of_them.master_moved()
    all_of_them.eject(cast(Follower, None))

    assert [one.told for one in everybody] == [2] * 4
    assert [len(one.failures) for one in everybody] == [2, 0, 2, 0]


def test_a_guarded_method_ends_its_own_and_returns_nothing() -> None:
    one = Dependent(wrong=False)
    assert one.guarded(5) == 2
    assert one.guarded(0) is None
    assert [type(error) for error in one.failures] == [ZeroDivisionError]


def test_what_reaches_only_the_event_loop_is_counted_and_told_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tally = Tally()
    caplog.set_level(logging.ERROR)

    async def body() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(faults.handler(tally))
        loop.call_soon(Dependent(wrong=True).master_moved)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(body())
    assert tally.faults == 1
    assert "KeyError: test_faults.py" in caplog.text
    assert "secret" not in caplog.text


def test_a_want_of_the_system_is_no_error_of_ours() -> None:
    tally, loop = Tally(), asyncio.new_event_loop()
    try:
        faults.handler(tally)(loop, {"message": "out of descriptors", "exception": OSError(24, "none left")})
    finally:
        loop.close()
    assert tally.faults == 0
