"""Strangers before a master that wants a login: what they take is bounded."""

from __future__ import annotations

from podmates_redis.session.porch import MOST, Porch
from podmates_redis.session.shared import Policy
from tests.unit.redis.rig import OK, Rig, shared

NOAUTH = b"-NOAUTH Authentication required.\r\n"


class Guest:
    """Who counts how often it is woken."""

    def __init__(self) -> None:
        self.woken = 0
        self.wake = self._wake

    def _wake(self) -> None:
        self.woken += 1


def closed() -> Rig:
    """Return a client that has not logged in, before a master that wants that."""
    rig = Rig(shared(policy=Policy(passthrough=True)))
    rig.shared.porch.heard("NOAUTH Authentication required.")
    rig.shared.porch.looks(rig.shared.clock())  # somebody looks already
    rig.connect()
    return rig


def test_so_many_knock_at_a_time_and_the_next_one_when_one_has_left() -> None:
    porch, guests = Porch(), [Guest() for _ in range(MOST + 2)]
    assert [porch.enter(guest) for guest in guests] == [True] * MOST + [False] * 2
    assert porch.enter(guests[0])
    porch.leave(guests[0])

    assert [guest.woken for guest in guests[MOST:]] == [1, 0]
    assert porch.enter(guests[MOST]) and not porch.enter(guests[MOST + 1])
    porch.leave(guests[MOST + 1])
    porch.leave(guests[1])
    assert guests[MOST + 1].woken == 0


def test_one_a_second_is_let_in_to_look() -> None:
    porch = Porch()
    assert [porch.looks(now) for now in (5.0, 5.5, 5.99, 6.0, 6.5)] == [True, False, False, True, False]


def test_a_door_that_opens_wakes_all_and_other_errors_say_nothing() -> None:
    porch, guests = Porch(), [Guest() for _ in range(MOST + 3)]
    porch.heard("NOAUTH Authentication required.")
    for guest in guests:
        porch.enter(guest)
    porch.heard("LOADING Redis is loading the dataset in memory")
    assert porch.closed
    porch.heard("")
    assert not porch.closed and [guest.woken for guest in guests[MOST:]] == [1] * 3


def test_a_stranger_is_answered_here_and_has_no_connection() -> None:
    rig = closed()
    rig.send("GET k\nSUBSCRIBE c\nMULTI")

    assert rig.told() == NOAUTH * 3
    assert rig.asked() == rig.asked_replica() == []


def test_what_is_behind_a_login_waits_until_that_is_judged() -> None:
    rig = closed()
    rig.send("AUTH bob secret\nINCR k")
    assert rig.asked() == [b"AUTH"]
    rig.master(OK)
    rig.go_on()

    assert rig.asked() == [b"INCR"]


def test_who_is_refused_loses_the_connection() -> None:
    rig = closed()
    rig.send("AUTH bob wrong\nINCR k")
    rig.asked()
    rig.master(b"-WRONGPASS x\r\n")
    rig.go_on()

    assert rig.session.master.drop
    assert rig.told() == b"-WRONGPASS x\r\n" + NOAUTH
