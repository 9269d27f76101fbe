"""Clients that go, are slow or come back, and connections that are stuck."""

from __future__ import annotations

from tests.unit.redis.engine.rig import MASTER, OK, Rig, say

NIL, ONE = b"$-1\r\n", b"$1\r\n1\r\n"
STUCK = 4


def test_a_stuck_connection_keeps_its_clients_and_others_get_a_fresh_one() -> None:
    rig = Rig(replica=False, clients=2)
    rig.client(say("FLUSHALL"))
    rig.at_master()
    rig.play.pass_time(0.5)
    assert rig.events() == []
    rig.play.pass_time(1.5)
    assert rig.events() == [STUCK]
    rig.client(say("SET", "b", "2"), number=2)
    assert rig.play.state(2) == "held"
    rig.play.attach(rig.group, 0, 110)

    assert rig.play.sent(110) == say("SET", "b", "2")
    rig.client(say("SET", "a", "1"))
    assert rig.at_master() == say("SET", "a", "1"), "a client's commands stay on one connection"
    rig.play.answer(110, OK)
    assert rig.told(2) == OK
    rig.master(OK + OK)
    assert not rig.play.stands(MASTER), "nobody uses it any more"
    rig.client(say("SET", "a", "2"))
    assert rig.play.sent(110) == say("SET", "a", "2")


def test_a_stuck_connection_that_answers_after_all_is_used_again() -> None:
    rig = Rig(replica=False, clients=2)
    rig.client(say("FLUSHALL"))
    rig.at_master()
    rig.play.pass_time(1.5)
    rig.client(say("SET", "b", "2"), number=2)
    rig.master(OK)

    assert rig.at_master() == say("SET", "b", "2")


def test_the_replies_of_a_client_that_vanished_are_dropped_and_others_stay_in_step() -> None:
    rig = Rig(clients=2)
    rig.client(say("SET", "a", "1") + say("GET", "b"))
    rig.client(say("SET", "c", "1") + say("GET", "d"), number=2)
    rig.at_master()
    rig.at_replica()
    rig.play.vanish(1)
    rig.master(b"-ERR first\r\n+second\r\n")
    rig.replica(b"$5\r\nthird\r\n$6\r\nfourth\r\n")

    assert rig.told(2) == b"+second\r\n$6\r\nfourth\r\n"


def test_a_client_gets_more_commands_under_way_as_it_takes_its_replies() -> None:
    rig = Rig(replica=False, window=16)
    rig.client(say("GET", "a") * 100)
    assert rig.at_master() == say("GET", "a") * 16
    rig.master(NIL * 8)
    assert rig.at_master() == say("GET", "a") * 16, "what it had, and one more for each reply"
    rig.master(NIL * 24)
    rig.at_master()
    rig.master(NIL * 40)
    rig.at_master()
    rig.master(NIL * 28)
    assert rig.told() == NIL * 100


def test_a_client_that_does_not_take_large_replies_has_only_a_few_under_way() -> None:
    rig = Rig(replica=False, window=16)
    rig.client(say("GET", "a") * 100)
    rig.at_master()
    large = b"$100000\r\n" + b"x" * 100_000 + b"\r\n"
    rig.master(large * 15)

    assert rig.play.state(1) == "leaving", "its later commands have a connection of their own"
    assert rig.at_master() == b""
    rig.master(large)
    assert rig.play.unread(1) == say("GET", "a") * 84


def test_a_half_closed_client_gets_its_replies_first() -> None:
    rig = Rig()
    rig.client(say("SET", "a", "1") + say("GET", "b"))
    rig.at_master()
    rig.at_replica()
    rig.play.end(1)
    rig.replica(NIL)
    assert rig.play.state(1) == "open"
    rig.master(OK)

    assert rig.told() == OK + NIL
    assert rig.play.state(1) == "closed"


def test_a_client_whose_replies_pile_up_beyond_the_limit_is_closed() -> None:
    rig = Rig(clients=2, output_limit=100_000)
    rig.client(say("SET", "a", "1") + say("GET", "b"))
    rig.client(say("GET", "c"), number=2)
    rig.at_master()
    rig.at_replica()
    rig.replica(b"$200000\r\n" + b"x" * 200_000 + b"\r\n" + ONE)

    assert rig.play.state(1) == "closed"
    assert rig.told(2) == ONE


def test_memory_is_limited_in_all() -> None:
    rig = Rig(clients=30, memory_limit=2_000_000)
    for number in range(1, 31):
        rig.client(say("SET", "a", "1") + say("GET", "b"), number=number)
    rig.at_master()
    rig.at_replica()
    for _ in range(30):
        rig.replica(b"$100000\r\n" + b"x" * 100_000 + b"\r\n")

    states = [rig.play.state(number) for number in range(1, 31)]
    assert 0 < states.count("open") < 25


def test_a_client_that_left_comes_back_with_what_is_unread() -> None:
    rig = Rig()
    rig.client(say("SELECT", 1))
    assert rig.play.state(1) == "away"
    rig.play.back(1, say("SET", "a", "1"))

    assert rig.at_master() == say("SET", "a", "1")
    assert rig.play.state(1) == "open"
