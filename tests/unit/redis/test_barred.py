"""A user whom one replica refuses, though the master does not, reads elsewhere for a while."""

from __future__ import annotations

import pytest

from podmates_redis.session.barred import Barred
from podmates_redis.session.shared import Policy
from tests.unit.redis.rig import OK, Rig, prove, shared

V = b"$1\r\nv\r\n"
NOPERM = b"-NOPERM this user has no permissions to run the 'get' command\r\n"


def client(facts: object = None) -> Rig:
    rig = Rig(facts or shared(policy=Policy(passthrough=True)))  # type: ignore[arg-type]
    rig.send("AUTH bob secret")
    rig.master(OK)
    rig.told()
    rig.asked()
    return rig


def test_who_is_refused_where_the_master_does_not_asks_there_no_more() -> None:
    rig = client()
    rig.send("GET k")
    rig.replica(OK + NOPERM)  # of AUTH, and of GET
    rig.master(V)
    assert rig.told() == V
    rig.asked_replica()
    rig.asked()

    for other in (rig, client(rig.shared)):
        other.send("GET k")
        assert (other.asked(), other.asked_replica()) == ([b"GET"], [])
        assert other.session.slots[-1].why == "policy"
    rig.shared.clock = lambda: 61.0
    prove(rig.shared)
    third = client(rig.shared)
    third.send("GET k")
    assert third.asked_replica() == [b"AUTH", b"GET"]


@pytest.mark.parametrize("login", ["AUTH secret", "AUTH eve secret"])
def test_others_are_not_concerned(login: str) -> None:
    rig = client()
    rig.session.bar(rig.shared.followers[0])
    other = Rig(rig.shared)
    other.send(login)
    other.master(OK)
    other.send("GET k")
    assert other.asked_replica() == [b"AUTH", b"GET"]


def test_what_the_master_refuses_too_says_nothing_of_the_replica() -> None:
    rig = client()
    rig.send("GET k")
    rig.replica(OK + NOPERM)
    rig.master(NOPERM)
    assert rig.told() == NOPERM
    assert not rig.session.barred_from(rig.shared.followers[0])


def test_any_number_of_users_takes_bounded_room() -> None:
    barred = Barred()
    for number in range(30_000):
        barred.add("replica", b"%d" % number, 0.0)
    assert barred.has("replica", b"29999", 1.0)
    assert sum(barred.has("replica", b"%d" % number, 1.0) for number in range(30_000)) <= 10_000
