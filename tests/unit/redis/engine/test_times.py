"""What takes too long on shared connections, and how often anything is sent again."""

from __future__ import annotations

from tests.support.shared_path import LOST
from tests.unit.redis.engine.rig import MASTER, REPLICA, Rig, say

NIL = b"$-1\r\n"
LATE = b"-ERR late\r\n"
READONLY = b"-READONLY You can't write against a read only replica.\r\n"


def test_a_read_has_half_of_its_time_at_a_replica_and_the_rest_at_the_master() -> None:
    rig = Rig(patience=4)
    rig.client(say("GET", "a"))
    assert rig.at_replica() == say("GET", "a")
    rig.play.pass_time(1.9)
    assert rig.play.stands(REPLICA)
    rig.play.pass_time(2.1)

    assert not rig.play.stands(REPLICA), "what it says now would be too late"
    assert rig.at_master() == say("GET", "a")
    rig.play.pass_time(4.1)
    assert rig.told() == LATE


def test_a_replica_that_answers_others_is_not_given_up() -> None:
    rig = Rig(patience=4, clients=2)
    rig.client(say("GET", "a"))
    rig.at_replica()
    rig.play.pass_time(1.9)
    rig.replica(b"$10\r\n12345")
    rig.play.pass_time(1.9)

    assert rig.play.stands(REPLICA)


def test_what_had_its_time_is_told_and_its_connection_given_up_when_it_owes_nothing_else() -> None:
    rig = Rig(replica=False, patience=4, clients=2)
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.play.pass_time(4.1)

    assert rig.told() == LATE
    assert not rig.play.stands(MASTER)
    rig.client(say("SET", "a", "2"), number=2)
    assert rig.play.state(2) == "away", "there is no master here now"


def test_nobody_waits_behind_what_is_late() -> None:
    rig = Rig(replica=False, patience=0.5, clients=2)
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.play.pass_time(0.6)
    assert rig.told() == LATE
    assert not rig.play.stands(MASTER)
    rig.play.attach(rig.group, 0, 110)
    rig.client(say("SET", "a", "2"))

    assert rig.play.sent(110) == say("SET", "a", "2")


def test_a_reply_that_stops_halfway_ends_its_client() -> None:
    rig = Rig(replica=False, patience=0.2, clients=2)
    rig.client(say("GET", "a"))
    rig.at_master()
    rig.master(b"$5\r\n")
    rig.play.pass_time(0.1)
    assert rig.play.state(1) == "open"
    rig.play.pass_time(0.5)

    assert rig.play.state(1) == "closed", "its reply had begun, and does not go on"


def test_what_waits_too_long_for_a_connection_is_never_sent() -> None:
    rig = Rig(replica=False, patience=4, clients=2)
    first, second = say("SET", "a", "1"), say("SET", "b", "2")
    rig.client(first)
    rig.client(second, number=2)
    rig.play.lose(MASTER)
    rig.play.pass_time(4.1)
    assert rig.told(1) == LATE
    assert rig.told(2) == LATE
    rig.play.attach(rig.group, 0, 110)

    assert rig.play.sent(110) == b""
    assert rig.play.begin() == rig.play.generation - 1, "nothing counts as on its way"


def test_a_read_is_sent_again_as_often_as_wanted() -> None:
    rig = Rig(replica=False, retries=2)
    rig.client(say("GET", "a"))
    for number in (MASTER, 110, 111):
        assert rig.play.sent(number) == say("GET", "a")
        assert rig.told() == b""
        rig.play.lose(number)
        rig.play.attach(rig.group, 0, number + 1 if number != MASTER else 110)

    assert rig.told() == LOST


def test_the_client_of_a_lost_write_is_closed_where_that_is_wanted_and_that_of_a_read_is_not() -> None:
    rig = Rig(clients=2, retries=0, close_unknown=True)
    rig.client(say("SET", "a", "1"))
    rig.client(say("GET", "b"), number=2)
    rig.at_master()
    rig.at_replica()
    rig.play.lose(MASTER)
    rig.play.lose(REPLICA)

    assert rig.play.state(1) == "closed"
    assert rig.told(1) == b""
    assert rig.told(2) == LOST


def test_a_refusal_is_passed_on_when_there_was_time_enough_for_a_better_master() -> None:
    rig = Rig(replica=False, failover_wait=0)
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.master(READONLY)

    assert rig.told() == READONLY


def test_who_was_refused_hears_these_words_when_nobody_comes() -> None:
    rig = Rig(replica=False, clients=2)
    rig.client(say("SET", "a", "1"))
    rig.client(say("SET", "b", "1"), number=2)
    rig.play.sent(MASTER, len(say("SET", "a", "1")))
    rig.master(b"-LOADING in its own words\r\n")
    rig.play.give_up(rig.group, b"-MASTERDOWN r\r\n", b"-READONLY w\r\n")

    assert rig.told(1) == b"-LOADING in its own words\r\n"
    assert rig.told(2) == b"-READONLY w\r\n"


def test_clients_go_where_there_are_the_fewest_for_a_servers_share() -> None:
    rig = Rig(clients=4)
    rig.play.attach(rig.group, 2, 102)
    rig.play.use_place(2, True)
    rig.play.cover(2, rig.play.begin())
    rig.prove()
    rig.play.weigh(1, 0, 0.1)
    rig.play.weigh(2, 1, 1.0)
    for number in range(1, 5):
        rig.client(say("GET", "a"), number=number)

    assert rig.play.sent(102) == say("GET", "a") * 4
    assert (rig.play.clients_at(1), rig.play.clients_at(2)) == (0, 4)


def test_a_line_end_that_not_every_server_takes_is_left_to_python() -> None:
    rig = Rig()
    odd = b"*2\r\n$3\r\nGET\r\n$1\r\na\n\n"
    rig.client(say("GET", "b") + odd)
    assert rig.at_replica() == say("GET", "b")
    rig.replica(NIL)

    assert rig.play.state(1) == "away"
    assert rig.play.unread(1) == odd
    assert rig.told() == NIL
