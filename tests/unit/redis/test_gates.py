"""A server in trouble is tried less and less often, and never stormed when it is back."""

from __future__ import annotations

import pytest

from podmates_redis.servers.gates import Gate


def test_each_failure_in_a_row_doubles_the_longest_wait_up_to_five_seconds() -> None:
    gate, now, waits = Gate(lambda: 1.0), 0.0, []
    for _ in range(10):
        gate.failed(now)
        waits.append(gate.wait(now))
        now += waits[-1]
        assert gate.wait(now) == 0.0

    assert waits == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5])


def test_the_wait_is_anything_up_to_the_longest() -> None:
    """Full jitter: pods that lost the same server at the same moment do not come back together."""
    gate = Gate(lambda: 0.25)
    gate.failed(0.0)

    assert gate.wait(0.0) == pytest.approx(0.0125)


def test_many_clients_that_fail_together_count_once() -> None:
    gate = Gate(lambda: 1.0)
    for _ in range(1000):
        gate.failed(0.0)

    assert gate.failures == 1
    assert gate.wait(0.0) == pytest.approx(0.05)


def test_after_a_failure_one_tries_for_all() -> None:
    gate = Gate(lambda: 1.0, trial=1.0)
    gate.failed(0.0)
    assert gate.wait(0.05) == 0.0
    assert gate.wait(0.06) == pytest.approx(0.99)
    assert gate.wait(1.06) == 0.0  # whoever tried is gone

    gate.worked()
    assert gate.wait(1.07) == 0.0


def test_an_answer_opens_it_at_once() -> None:
    gate = Gate(lambda: 1.0)
    for number in range(20):
        gate.failed(number * 10.0)
    gate.worked()

    assert gate.wait(190.0) == 0.0
    gate.failed(191.0)
    assert gate.wait(191.0) == pytest.approx(0.05)


def test_connections_come_at_a_rate_after_a_burst() -> None:
    gate = Gate(lambda: 1.0, rate=100.0, burst=3.0)
    assert [gate.wait(0.0) for _ in range(3)] == [0.0] * 3
    wait = gate.wait(0.0)
    assert wait == pytest.approx(0.01)

    assert gate.wait(wait + 1e-9) == 0.0
    assert gate.wait(wait + 1e-9) > 0.0
    taken = sum(gate.wait(100.0) == 0.0 for _ in range(10))
    assert taken == 3
