"""What is told of a repository follows from what happened to it, in order."""

from __future__ import annotations

import json

from podmates_gitsync.reports.status import Rejected, Status

OLD, NEW = "a" * 40, "b" * 40


def told(status: Status) -> dict[str, object]:
    return status.told(lambda time: f"at {time:g}")


def test_nothing_is_known_at_first() -> None:
    assert told(Status()) == {
        "hash": None,
        "previous_hash": None,
        "published_at": None,
        "last_attempt_at": None,
        "last_success_at": None,
        "consecutive_failures": 0,
        "last_error": None,
        "rejected": [],
    }


def test_successes_move_the_hashes_only_when_they_differ() -> None:
    status = Status().succeeded(OLD, 1, 0).succeeded(NEW, 2, 0).succeeded(NEW, 3, 0)

    assert (status.hash, status.previous_hash, status.published_at) == (NEW, OLD, 2)
    assert status.last_success_at == 3


def test_what_the_link_names_is_told_while_the_rest_fails() -> None:
    status = Status().succeeded(OLD, 1, 0).failed("the mirror is full").published(NEW, 2).published(NEW, 3)
    assert (status.hash, status.previous_hash, status.published_at) == (NEW, OLD, 2)
    assert (status.last_success_at, status.consecutive_failures) == (1, 1)
    assert status.last_error == "the mirror is full"

    status = status.succeeded(NEW, 4, 0)
    assert (status.hash, status.previous_hash, status.published_at) == (NEW, OLD, 2)


def test_failures_are_counted_until_a_success_and_leave_what_is_published() -> None:
    status = Status().succeeded(OLD, 1, 0).attempted(2).failed("no route").attempted(3).failed("refused")
    assert (status.hash, status.consecutive_failures, status.last_error) == (OLD, 2, "refused")
    assert (status.last_attempt_at, status.last_success_at) == (3, 1)

    status = status.succeeded(OLD, 4, 0)
    assert (status.consecutive_failures, status.last_error) == (0, "")


def test_an_error_and_the_list_of_refusals_have_bounds() -> None:
    status = Status().failed("x" * 10**6)
    for number in range(50):
        status = status.refused(Rejected(f"{number:040}", "hook", number))
    status = status.refused(Rejected(f"{49:040}", "signature", 99))

    assert len(json.dumps(told(status))) < 10_000
    assert [rejected.at for rejected in status.rejected] == [*range(30, 49), 99]


def test_it_is_stale_when_the_last_success_is_too_long_ago() -> None:
    status = Status(fresh=100.0)

    assert not status.stale(110.0, 10.0)
    assert status.stale(110.1, 10.0)
    assert not status.stale(10**9, 0.0)
    assert not status.succeeded(OLD, 5, fresh=110.0).stale(110.1, 10.0)
