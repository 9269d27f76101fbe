"""How far behind, how often failed: the judges of a replica, with a clock of the test."""

from __future__ import annotations

import pytest

from podmates_redis.servers.fitness import Breaker, Lag, Limits, Offsets, silent


def test_seconds_behind_is_the_age_of_what_the_replica_has_reached() -> None:
    offsets = Offsets()
    for moment, offset in ((0.0, 0), (1.0, 100), (2.0, 200), (3.0, 300)):
        offsets.add(moment, "h", offset)

    assert [offsets.age(3.5, at) for at in (0, 99, 100, 299, 300, 400)] == [3.5, 3.5, 2.5, 1.5, 0.0, 0.0]
    assert [offsets.behind(at) for at in (0, 299, 300, 400)] == [300, 1, 0, 0]


def test_an_idle_master_makes_nobody_late() -> None:
    offsets = Offsets()
    for second in range(100):
        offsets.add(float(second), "h", 100)
    assert offsets.age(100.0, 100) == 0.0

    offsets.add(100.0, "h", 101)
    assert offsets.age(101.0, 100) == 2.0


def test_what_is_older_than_a_minute_is_forgotten_and_stays_late() -> None:
    offsets = Offsets()
    for second in range(1000):
        offsets.add(float(second), "h", second)

    assert offsets.age(999.0, 0) == 60.0
    assert offsets.age(999.0, 989) == 10.0


def test_since_when_the_master_is_ahead() -> None:
    offsets = Offsets()
    assert offsets.beyond(9.0, 0) == 0.0
    for second in range(5):
        offsets.add(float(second), "h", 100 * (second > 1))
    assert [offsets.beyond(5.0, at) for at in (0, 99, 100)] == [3.0, 3.0, 0.0]


def test_another_history_starts_anew_and_an_overtaken_answer_counts_for_nothing() -> None:
    offsets = Offsets()
    offsets.add(0.0, "h", 100)
    offsets.add(1.0, "h", 90)
    assert offsets.behind(0) == 100
    offsets.add(2.0, "g", 5)
    assert (offsets.behind(0), offsets.age(3.0, 5)) == (5, 0.0)


LIMITS = Limits(lag_bytes=100, lag_seconds=10.0)


@pytest.mark.parametrize(
    ("samples", "over"),
    [
        ([(100, 10.0)], False),
        ([(101, 0.0)], True),
        ([(0, 10.1)], True),
        ([(101, 0.0), (50, 0.0), (50, 0.0)], True),
        ([(101, 0.0), (50, 0.0), (50, 0.0), (50, 0.0)], False),
        ([(101, 0.0), (50, 0.0), (50, 0.0), (51, 0.0), (50, 0.0), (50, 0.0)], True),
        ([(101, 0.0), (50, 6.0), (50, 6.0), (50, 6.0), (50, 6.0)], True),
        ([(101, 0.0), (60, 0.0), (60, 0.0), (60, 0.0), (60, 0.0)], True),
    ],
    ids=[
        "at the limit",
        "a byte over",
        "a moment over",
        "twice below half",
        "three times below half",
        "not three times in a row",
        "below half of one only",
        "below the limit, above half",
    ],
)
def test_a_replica_at_the_limit_does_not_come_and_go(samples: list[tuple[int, float]], over: bool) -> None:
    lag, now = Lag(), 1000.0
    for size, seconds in samples:
        offsets = Offsets()
        offsets.add(now - (seconds or 0.9), "h", 0)
        offsets.add(now - 0.6, "h", size or 1)
        lag.sample(offsets, now, 0, LIMITS)
    assert lag.over is over


@pytest.mark.parametrize(
    ("reached", "over"), [((0, 90, 290), False), ((0, 0, 0), True), ((0, 99, 199), False)]
)
def test_one_large_write_makes_nobody_late_who_keeps_up(reached: tuple[int, ...], over: bool) -> None:
    """The replica is looked at 0, 0.3 and 0.6 s after its master was seen with 201 bytes more."""
    lag, offsets = Lag(), Offsets()
    offsets.add(0.0, "h", 0)
    offsets.add(10.0, "h", 201)
    for number, offset in enumerate(reached):
        if number == 2:
            offsets.add(10.6, "h", 300)
        lag.sample(offsets, 10.0 + 0.3 * number, offset, Limits(lag_bytes=100))
        assert lag.watched is (not lag.over and lag.bytes > 100)
    assert lag.over is over


def test_without_limits_nobody_is_too_late() -> None:
    lag = Lag()
    offsets = Offsets()
    offsets.add(0.0, "h", 10**12)
    lag.sample(offsets, 10.0**6, 0, Limits())
    assert (lag.over, lag.bytes, lag.seconds) == (False, 10**12, 10.0**6)


def test_a_link_that_is_up_by_name_only() -> None:
    assert [silent(text) for text in ("", "-1", "0", "11", "12", "x")] == [False] * 4 + [True, False]


def test_five_failures_in_a_row_are_too_many() -> None:
    breaker = Breaker()
    assert [breaker.failed(0.0) for _ in range(4)] == [False] * 4
    breaker.worked()
    assert [breaker.failed(0.0) for _ in range(5)] == [False] * 4 + [True]
    assert breaker.out
    assert not breaker.failed(0.0)


def test_it_stays_out_twice_as_long_each_time_up_to_a_minute() -> None:
    breaker, now, waits = Breaker(), 0.0, []
    for _ in range(5):
        breaker.failed(now)
    for _ in range(8):
        waits.append(breaker.until - now)
        assert not breaker.due(breaker.until - 0.01)
        now = breaker.until
        assert breaker.due(now)
        breaker.tried(now, good=False)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_one_good_try_brings_it_back_slowly() -> None:
    breaker = Breaker()
    assert breaker.share(0.0) == 1.0
    for _ in range(5):
        breaker.failed(100.0)
    breaker.tried(101.0, good=True)

    assert not breaker.out
    assert [breaker.share(101.0 + passed) for passed in (0, 1, 5, 10, 60)] == [0.1, 0.1, 0.5, 1.0, 1.0]


def test_old_failures_are_forgiven() -> None:
    breaker = Breaker()
    for start in (0.0, 2.0):
        for _ in range(5):
            breaker.failed(start)
        breaker.tried(breaker.until, good=True)
    for _ in range(5):
        breaker.failed(1000.0)
    assert breaker.until == 1001.0
