"""Which of several replicas a client reads, and who is asked when one does not answer."""

from __future__ import annotations

from tests.unit.redis.engine.rig import REPLICA, Rig, say


def test_what_a_replica_does_not_answer_is_asked_of_another_once_then_of_the_master() -> None:
    rig = Rig()
    rig.play.attach(rig.group, 2, 102)
    rig.play.use_place(2, True)
    rig.play.cover(2, rig.play.begin())
    rig.prove()
    rig.client(say("GET", "a") + say("GET", "b"))
    assert rig.at_replica() == say("GET", "a") + say("GET", "b")
    rig.replica(b"-MASTERDOWN no\r\n")
    assert rig.play.sent(102) == say("GET", "a")
    rig.play.lose(REPLICA)
    assert rig.play.sent(102) == say("GET", "b")
    rig.play.answer(102, b"-MASTERDOWN no\r\n$1\r\nb\r\n")
    assert rig.at_master() == say("GET", "a")
    rig.master(b"$1\r\na\r\n")

    assert rig.told() == b"$1\r\na\r\n$1\r\nb\r\n"
    assert rig.play.clients_at(1) == 0
    assert rig.play.clients_at(2) == 1


def test_of_replicas_that_are_alike_each_has_its_turn() -> None:
    rig = Rig(clients=0)
    rig.play.attach(rig.group, 2, 102)
    rig.play.use_place(2, True)
    rig.play.cover(2, rig.play.begin())
    rig.prove()
    for number in range(1, 21):  # one at a time, so that there is never one with fewer
        rig.play.connect(number, rig.group)
        rig.client(say("GET", "a"), number=number)
        for place, server in ((1, REPLICA), (2, 102)):
            if rig.play.clients_at(place):
                rig.play.answer(server, b"$-1\r\n") if rig.play.sent(server) else None
        rig.play.vanish(number)
    served = rig.play.harvest()[2]

    assert served[1] > 3
    assert served[2] > 3


def test_who_reads_at_a_replica_that_is_lost_reads_at_another_at_once() -> None:
    """And not at the master until somebody has looked why the connection is gone."""
    rig = Rig()
    rig.play.attach(rig.group, 2, 102)
    rig.client(say("GET", "a"))
    assert rig.at_replica() == say("GET", "a")
    rig.replica(b"$1\r\na\r\n")
    rig.play.use_place(2, True)
    rig.play.cover(2, rig.play.begin())
    rig.prove()
    rig.play.lose(REPLICA)
    rig.client(say("GET", "a"))

    assert rig.play.sent(102) == say("GET", "a")
    assert rig.at_master() == b""
