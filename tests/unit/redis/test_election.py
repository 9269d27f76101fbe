"""Who is the master and who may be read, for everything that up to three servers can say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from podmates_redis.servers.election import Seen, elect, observed, why_unusable

MASTER = Seen("a", answered=True, role="master", history="h", offset=100, replicas=1, problem="")
REPLICA = Seen("b", answered=True, role="slave", history="h", offset=100, linked=True, problem="")


def test_the_one_that_says_so_is_the_master() -> None:
    assert elect([REPLICA, MASTER], "") == "a"
    assert elect([REPLICA, replace(REPLICA, name="c")], "b") == ""


def test_of_two_the_replicas_decide_then_their_number_then_the_present() -> None:
    other = replace(MASTER, name="c", history="new", replicas=5)

    assert elect([MASTER, other, REPLICA], "c") == "a"
    assert elect([MASTER, other], "a") == "c"
    assert elect([MASTER, replace(other, replicas=1)], "c") == "c"


def test_a_silent_master_stays_until_another_one_says_that_it_is_one() -> None:
    silent = replace(MASTER, answered=False)

    assert elect([silent, REPLICA], "a") == "a"
    assert elect([silent, replace(MASTER, name="b")], "a") == "b"
    assert elect([silent, REPLICA], "") == ""


def test_the_master_is_always_one_that_is_not_known_to_be_anything_else() -> None:
    kinds = (MASTER, REPLICA, replace(MASTER, answered=False), replace(REPLICA, answered=False))
    for chosen in product(kinds, repeat=3):
        seen = [replace(kind, name=name) for kind, name in zip(chosen, "abc", strict=True)]
        for current in ("", "a", "b", "c"):
            master = elect(seen, current)

            assert not any(s.name == master and s.answered and s.role == "slave" for s in seen), (
                seen,
                current,
            )
            if any(s.answered and s.role == "master" for s in seen):
                assert next(s for s in seen if s.name == master).answered


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"answered": False, "problem": "timed out"}, "timed out"),
        ({"role": "master"}, "says that it is a master"),
        ({"history": "other"}, "follows another master"),
        ({"linked": False}, "its link to the master is down"),
        ({"loading": True}, "loading its data"),
        ({"syncing": True}, "loading its data"),
        ({"busy": True}, "runs a script"),
        ({"stalled": True}, "its link to the master is silent"),
    ],
    ids=str,
)
def test_what_keeps_reads_from_a_replica(change: dict[str, object], why: str) -> None:
    assert why_unusable(replace(REPLICA, **change), MASTER) == why  # type: ignore[arg-type]


def test_without_a_master_a_replica_serves_what_it_has() -> None:
    cut = replace(REPLICA, linked=False)

    assert why_unusable(cut, None, late=True) == ""
    assert why_unusable(cut, replace(MASTER, answered=False), late=True) == ""


def test_without_a_master_none_is_read_that_may_have_taken_older_data_than_the_last_one_had() -> None:
    silent, other = replace(MASTER, answered=False), replace(REPLICA, history="new")
    for master in (None, silent):
        assert why_unusable(REPLICA, master, "h") == ""
        assert why_unusable(replace(other, before="h"), master, "h") == ""
        assert why_unusable(other, master, "h") == "follows another master"


def test_one_too_far_behind_is_late_and_nothing_else() -> None:
    assert why_unusable(REPLICA, MASTER, late=True) == "lag"
    assert why_unusable(replace(REPLICA, history="other"), MASTER, late=True) == "follows another master"


def test_the_fields_of_info_are_understood() -> None:
    master = observed(
        "a", {"role": "master", "master_replid": "h", "master_repl_offset": "7", "loading": "1"}
    )
    replica = observed("b", {"role": "slave", "slave_repl_offset": "5", "master_link_status": "up"})

    assert (master.offset, master.loading, replica.offset, replica.linked) == (7, True, 5, True)
    assert not observed("c", {"error": "NOAUTH x"}).answered
    told = {"loading": "0", "async_loading": "1"}  # a replica that takes new data and answers from the old
    assert observed("b", {"role": "slave", **told}).loading
    assert not observed("b", {"role": "slave", **dict.fromkeys(told, "0")}).loading
