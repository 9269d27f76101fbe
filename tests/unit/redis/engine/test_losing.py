"""Refusals and lost connections: every request has one reply, or its client is closed."""

from __future__ import annotations

import pytest

from tests.support.shared_path import LOST
from tests.unit.redis.engine.rig import MASTER, OK, REPLICA, Rig, say

NIL, ONE = b"$-1\r\n", b"$1\r\n1\r\n"
READONLY = b"-READONLY You can't write against a read only replica.\r\n"
ABORTED = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
UPSTREAM_LOST, REFUSED = 2, 3


@pytest.mark.parametrize(
    "error",
    [
        b"-MASTERDOWN Link with MASTER is down\r\n",
        b"-LOADING Redis is loading\r\n",
        b"-READONLY no\r\n",
        b"-NOSCRIPT No matching script.\r\n",
        b"-NOPERM no\r\n",
        b"-WRONGTYPE Operation\r\n",
    ],
)
def test_a_replicas_error_is_asked_of_the_master_in_the_same_place(error: bytes) -> None:
    rig = Rig()
    rig.client(say("GET", "a") + say("GET", "b"))
    rig.at_replica()
    rig.replica(error + ONE)

    assert rig.at_master() == say("GET", "a")
    assert rig.told() == b""
    rig.master(NIL)
    assert rig.told() == NIL + ONE
    refusal = error.split(b" ")[0] in (b"-MASTERDOWN", b"-LOADING", b"-READONLY")
    assert (REFUSED in rig.events()) is refusal


def test_reads_at_a_replica_that_is_lost_go_to_the_master_in_order() -> None:
    rig = Rig()
    rig.client(say("GET", "a") + say("GET", "b") + say("GET", "c"))
    rig.at_replica()
    rig.replica(ONE + b"$1")
    rig.play.lose(REPLICA)

    assert rig.at_master() == say("GET", "b") + say("GET", "c")
    rig.master(NIL + ONE)
    assert rig.told() == ONE + NIL + ONE
    assert UPSTREAM_LOST in rig.events()
    rig.client(say("GET", "d"))
    assert rig.at_master() == say("GET", "d")


def test_a_reply_that_was_half_passed_on_when_its_server_went_closes_the_client() -> None:
    rig = Rig(clients=2)
    rig.client(say("GET", "a"))
    rig.client(say("GET", "b"), number=2)
    rig.at_replica()
    rig.replica(b"$10\r\n12345")
    assert rig.told() == b"$10\r\n12345"
    rig.play.lose(REPLICA)

    assert rig.play.state(1) == "closed"
    assert rig.play.state(2) == "open"
    assert rig.at_master() == say("GET", "b")


def test_the_half_of_a_reply_that_waits_for_its_turn_is_taken_back() -> None:
    rig = Rig()
    rig.client(say("SET", "x", "1") + say("GET", "a"))
    rig.at_master()
    rig.at_replica()
    rig.replica(b"$10\r\n12345")
    rig.play.lose(REPLICA)
    assert rig.at_master() == say("GET", "a")
    rig.master(OK + ONE)

    assert rig.told() == OK + ONE


def test_a_write_lost_after_sending_is_said_to_be_lost_and_reads_are_repeated() -> None:
    rig = Rig(replica=False)
    rig.client(say("SET", "a", "1") + say("GET", "b") + say("INCR", "c") + say("TIME"))
    rig.at_master()
    rig.play.lose(MASTER)
    rig.play.attach(rig.group, 0, 110)

    assert rig.play.sent(110) == say("GET", "b") + say("TIME")
    rig.play.answer(110, NIL + b"*0\r\n")
    assert rig.told() == LOST + NIL + LOST + b"*0\r\n"


def test_a_write_that_was_not_wholly_sent_is_kept_for_the_next_master() -> None:
    rig = Rig(replica=False)
    first, second = say("SET", "a", "1"), say("SET", "b", "2")
    rig.client(first + second)
    rig.play.sent(MASTER, len(first) + 5)
    rig.play.lose(MASTER)
    rig.play.attach(rig.group, 0, 110)

    assert rig.play.sent(110) == second
    rig.play.answer(110, OK)
    assert rig.told() == LOST + OK


def test_a_lost_write_stays_marked() -> None:
    rig = Rig()
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.play.lose(MASTER)
    rig.play.attach(rig.group, 0, 110)
    rig.client(say("GET", "a"))

    assert rig.play.sent(110) == say("GET", "a")


def test_the_client_of_a_block_lost_after_exec_was_sent_is_closed() -> None:
    rig = Rig(replica=False, clients=2)
    block = say("MULTI") + say("SET", "a", "1") + say("EXEC")
    rig.client(block)
    rig.client(block, number=2)
    rig.play.sent(MASTER, len(block) * 2 - 1)
    rig.play.lose(MASTER)

    assert rig.play.state(1) == "closed"
    rig.play.attach(rig.group, 0, 110)
    assert rig.play.sent(110) == block
    rig.play.answer(110, OK + b"+QUEUED\r\n*1\r\n+OK\r\n")
    assert rig.told(2) == OK + b"+QUEUED\r\n*1\r\n+OK\r\n"


def test_a_block_that_was_answered_in_part_and_not_wholly_sent_is_sent_again_without_doubling_replies() -> (
    None
):
    rig = Rig(replica=False)
    block = say("MULTI") + say("SET", "a", "1") + say("EXEC")
    rig.client(block)
    rig.play.sent(MASTER, len(block) - 3)
    rig.master(OK)
    rig.play.lose(MASTER)
    rig.play.attach(rig.group, 0, 110)
    assert rig.play.sent(110) == block
    rig.play.answer(110, OK + b"+QUEUED\r\n*1\r\n+OK\r\n")

    assert rig.told() == OK + b"+QUEUED\r\n*1\r\n+OK\r\n"


def test_what_a_master_that_is_none_refuses_goes_to_the_next_in_order() -> None:
    rig = Rig(replica=False, clients=2)
    requests = say("SET", "a", "1") + say("GET", "a") + say("INCR", "b") + say("GET", "b")
    rig.client(requests)
    rig.client(say("GET", "z"), number=2)
    rig.at_master()
    rig.master(READONLY + NIL)
    rig.client(say("SET", "later", "1"), number=2)

    assert rig.play.state(2) == "held", "what it sends now must not overtake what is collected"
    rig.master(READONLY + NIL + NIL)
    assert not rig.play.stands(MASTER)
    assert REFUSED in rig.events()
    rig.play.attach(rig.group, 0, 110)
    sent = rig.play.sent(110)
    assert sent.startswith(requests)
    assert say("GET", "z") in sent
    rig.play.answer(110, OK + ONE + b":1\r\n" + ONE + NIL)
    assert rig.told(1) == OK + ONE + b":1\r\n" + ONE
    assert rig.told(2) == NIL


def test_a_block_that_is_refused_goes_to_the_next_master_whole() -> None:
    rig = Rig(replica=False)
    block = say("MULTI") + say("SET", "a", "1") + say("INCR", "b") + say("EXEC")
    rig.client(block)
    rig.at_master()
    rig.master(OK)
    assert rig.told() == OK
    rig.master(READONLY + READONLY + ABORTED)
    rig.play.attach(rig.group, 0, 110)

    assert rig.play.sent(110) == block
    rig.play.answer(110, OK + b"+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n")
    assert rig.told() == b"+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n"


def test_an_error_in_a_block_that_is_its_own_is_passed_on() -> None:
    rig = Rig(replica=False)
    rig.client(say("MULTI") + say("INCR") + say("EXEC"))
    rig.at_master()
    rig.master(OK + b"-ERR wrong number of arguments\r\n" + ABORTED)

    assert rig.told() == OK + b"-ERR wrong number of arguments\r\n" + ABORTED


def test_when_the_master_moves_the_old_one_may_answer_what_it_owes() -> None:
    rig = Rig(replica=False, clients=2)
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.client(say("SET", "b", "2"), number=2)
    rig.play.move_master()
    rig.play.attach(rig.group, 0, 110)

    assert rig.play.sent(110) == b""
    rig.master(OK)
    assert rig.told() == OK
    assert not rig.play.stands(MASTER)
    assert rig.play.sent(110) == say("SET", "b", "2")


def test_an_idle_connection_to_the_old_master_is_let_go() -> None:
    rig = Rig(replica=False)
    rig.play.move_master()

    assert not rig.play.stands(MASTER)
    rig.client(say("SET", "a", "1"))
    assert rig.play.state(1) == "away", "without a master it is Python that waits for one"


def test_an_old_master_that_does_not_answer_has_a_second() -> None:
    rig = Rig(replica=False)
    rig.client(say("SET", "a", "1") + say("GET", "a"))
    rig.at_master()
    rig.play.move_master()
    rig.play.pass_time(1.5)

    assert not rig.play.stands(MASTER)
    rig.play.attach(rig.group, 0, 110)
    assert rig.play.sent(110) == say("GET", "a")
    rig.play.answer(110, NIL)
    assert rig.told() == LOST + NIL


def test_what_waits_for_a_master_is_answered_when_nobody_comes() -> None:
    rig = Rig(replica=False, clients=2)
    rig.client(say("SET", "a", "1") + say("GET", "a") + say("PING"))
    rig.client(say("MULTI") + say("SET", "a", "1") + say("EXEC"), number=2)
    rig.play.lose(MASTER)
    rig.play.give_up(rig.group, b"-MASTERDOWN r\r\n", b"-READONLY w\r\n")

    assert rig.told(1) == b"-READONLY w\r\n-MASTERDOWN r\r\n+PONG\r\n"
    assert rig.told(2) == b"-READONLY w\r\n" * 3
    assert rig.play.begin() == rig.play.generation - 1, "nothing counts as on its way any more"


def test_a_request_is_not_sent_again_for_ever() -> None:
    rig = Rig(replica=False)
    rig.client(say("GET", "a"))
    for number in range(200, 300):
        rig.play.lose(MASTER if number == 200 else number - 1)
        rig.play.attach(rig.group, 0, number)
        if not rig.play.sent(number):
            break

    assert rig.told() == LOST
    assert number < 290
