"""What strangers can cost has bounds."""

from __future__ import annotations

from podmates_gitsync.push.limits import Deliveries, Failures, Memory, group


def test_a_delivery_is_repeated_when_all_its_names_are() -> None:
    deliveries = Deliveries()

    assert not deliveries.repeated("github", "1", "a")
    assert not deliveries.repeated("github", "1", "b")
    assert not deliveries.repeated("gitlab", "1", "a")
    assert not deliveries.repeated("github", "1a", "")
    assert deliveries.repeated("github", "1", "a")
    assert not deliveries.repeated("azure", "\ud800\udcff")


def test_the_newest_deliveries_are_remembered() -> None:
    deliveries = Deliveries(most=3)
    for name in "abc":
        deliveries.repeated(name)
    deliveries.repeated("a")
    deliveries.repeated("d")  # the oldest one seen is b

    assert [deliveries.repeated(name) for name in "acd"] == [True] * 3
    assert not deliveries.repeated("b")


def test_a_caller_may_fail_a_few_times_and_then_slowly() -> None:
    failures = Failures(burst=3, seconds=2)

    assert [failures.failed("a", 100.0) for _ in range(5)] == [None, None, None, 2, 2]
    assert failures.failed("b", 100.0) is None
    assert failures.failed("a", 101.5) == 1
    assert [failures.failed("a", 102.0) for _ in range(2)] == [None, 2]
    assert [failures.failed("a", 999.0) for _ in range(4)] == [None, None, None, 2]


def test_callers_are_forgotten_the_oldest_first() -> None:
    failures = Failures(burst=1, seconds=10, most=2)
    for caller in ("a", "b", "c"):
        assert failures.failed(caller, 0.0) is None

    assert failures.failed("c", 0.0) == 10
    assert failures.failed("a", 0.0) is None


def test_a_network_of_version_6_is_one_caller() -> None:
    assert group("192.0.2.1") == "192.0.2.1"
    assert group("::ffff:192.0.2.1") == "::ffff:192.0.2.1"
    assert group("2001:db8:1:2::9") == group("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2"
    assert group("2001:db8::1") == group("2001:db8:0:0:ffff::%eth0") == "2001:db8:0:0"
    assert group("::1") == "0:0:0:0"


def test_memory_is_shared() -> None:
    memory = Memory(10)

    assert memory.take(6)
    assert not memory.take(5)
    assert memory.take(4)
    memory.give(6)
    assert memory.take(5)
