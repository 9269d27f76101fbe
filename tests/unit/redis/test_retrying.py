"""A read whose replica fails is asked of another one, then of the master."""

from __future__ import annotations

import pytest

from podmates_redis.marks import Follower
from podmates_redis.session.shared import Shared
from tests.unit.redis.rig import Rig, prove, shared

V = b"$1\r\nv\r\n"


def two_replicas() -> Shared:
    """Return the facts of a process with two replicas that have all; the first is chosen first."""
    facts = shared()
    facts.followers.append(Follower("replica:2", usable=True))
    prove(facts)
    return facts


@pytest.mark.parametrize("error", [b"", b"-LOADING x\r\n", b"-MASTERDOWN x\r\n", b"-BUSY x\r\n"])
def test_what_a_replica_does_not_answer_another_one_does_then_the_master(error: bytes) -> None:
    rig = Rig(two_replicas())

    def fail() -> None:
        rig.replica(error) if error else rig.lose_replica()

    rig.send("GET a\nGET b")
    first = rig.session.follower
    rig.asked_replica()
    fail()
    assert rig.session.replica.drop
    rig.connect(master=False)
    assert rig.asked_replica() == [b"GET", b"GET"]
    assert rig.session.follower is not first
    rig.replica(V)
    fail()
    assert rig.asked() == [b"GET"]
    rig.master(V)

    assert rig.told() == V + V
    assert [one.clients for one in rig.shared.followers] == [1, 0]
    assert rig.shared.tally.reads == {("replica", "retry", "replica:2"): 1, ("master", "retry", ""): 1}


def test_another_replica_answers_only_what_it_is_proven_to_have() -> None:
    rig = Rig(two_replicas())
    rig.send("GET a\nGET b")
    rig.shared.followers[1].covered = -1
    rig.lose_replica()
    assert rig.asked() == [b"GET", b"GET"]


def test_a_write_waits_for_a_read_of_its_key_at_another_replica_too() -> None:
    rig = Rig(two_replicas())
    rig.send("GET a")
    rig.lose_replica()
    rig.send("SET a x")
    assert rig.asked() == []
    rig.connect(master=False)
    rig.replica(V)
    assert rig.asked() == [b"SET"]
