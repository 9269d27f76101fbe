"""Components promise to report; silence breaks the promise."""

from __future__ import annotations

import pytest

from podmates_common.health import Health


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    health = Health(clock=clock)
    health.expect("master", within=5)
    health.expect("replica", within=5, critical=False)
    return health


def test_before_the_first_report_it_is_live_but_neither_started_nor_ready(health: Health) -> None:
    assert health.report("live") == (True, "ok\n")
    assert health.report("started")[0] is False
    assert health.report("ready") == (
        False,
        "not ready\nmaster: has not reported yet\nreplica: has not reported yet (does not count)\n",
    )


def test_it_is_ready_when_every_critical_component_is_well(health: Health) -> None:
    health.ok("master")
    health.fail("replica", "no route")

    assert health.report("ready") == (True, "ok\nmaster: ok\nreplica: no route (does not count)\n")


def test_silence_longer_than_promised_makes_it_unready(health: Health, clock: Clock) -> None:
    health.ok("master")
    clock.now += 5.1

    ready, body = health.report("ready")
    assert not ready
    assert "master: silent for 5 s, expected within 5 s" in body


def test_a_failure_later_makes_it_unready_but_it_stays_started(health: Health) -> None:
    health.ok("master")
    health.fail("master", "connection refused")

    assert health.report("started")[0] is True
    assert health.report("ready") == (
        False,
        "not ready\nmaster: connection refused\nreplica: has not reported yet (does not count)\n",
    )


def test_draining_makes_it_unready_and_says_so(health: Health) -> None:
    health.ok("master")
    health.draining = True

    assert health.report("ready")[0] is False
    assert "draining" in health.report("ready")[1]


def test_a_forgotten_component_no_longer_counts(health: Health) -> None:
    health.forget("master")

    assert health.ready()


def test_a_reason_of_several_lines_is_one_line(health: Health) -> None:
    health.expect("page", within=60)
    health.fail("page", "not an HTTP answer:\n\n  b'x'\r\n   ^\nhere")

    assert health.report("ready")[1].splitlines()[-1] == "page: not an HTTP answer: b'x' ^ here"
