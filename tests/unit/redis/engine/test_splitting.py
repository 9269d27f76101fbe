"""Where reads go, what waits for what, and what the marks see."""

from __future__ import annotations

import pytest

from podmates_redis.engine.rules import REASONS
from tests.unit.redis.engine.rig import MASTER, OK, REPLICA, Rig, say

NIL = b"$-1\r\n"
TURNED_AWAY = 5


def reasons(rig: Rig) -> dict[str, int]:
    """Return how often a read was answered by the master, by reason."""
    return {name: count for name, count in zip(REASONS, rig.play.harvest()[1], strict=True) if count}


def test_a_read_goes_to_the_replica_and_a_write_to_the_master() -> None:
    rig = Rig()
    rig.client(say("GET", "a") + say("SET", "b", "1"))

    assert (rig.at_replica(), rig.at_master()) == (say("GET", "a"), say("SET", "b", "1"))
    rig.master(OK)
    assert rig.told() == b""
    rig.replica(NIL)
    assert rig.told() == NIL + OK


def test_a_read_of_what_was_written_goes_to_the_master_until_that_is_proven() -> None:
    rig = Rig(clients=2)
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.master(OK)
    rig.client(say("GET", "a") + say("GET", "b"), number=2)

    assert (rig.at_master(), rig.at_replica()) == (say("GET", "a"), say("GET", "b"))
    assert TURNED_AWAY in rig.events()
    rig.master(NIL)
    assert reasons(rig) == {"mark": 1}
    rig.prove()
    rig.client(say("GET", "a"))
    assert rig.at_replica() == say("GET", "a")


def test_a_probe_proves_no_write_that_is_unanswered() -> None:
    rig = Rig()
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    rig.prove()
    rig.prove()
    rig.master(OK)
    rig.client(say("GET", "a"))

    assert rig.at_master() == say("GET", "a")
    rig.prove()
    rig.client(say("GET", "a"))
    assert rig.at_replica() == say("GET", "a")


def test_a_write_that_is_late_is_left_out_and_marked_anew() -> None:
    rig = Rig(clients=2)
    rig.client(say("SET", "a", "1"))
    rig.at_master()
    for now in (10.0, 12.0):
        rig.play.cover(1, rig.play.begin(now))
    rig.client(say("GET", "a") + say("GET", "b"))
    rig.client(say("GET", "a"), number=2)

    assert rig.at_master() == say("GET", "a") + say("GET", "b"), "its own client waits for it in order"
    assert rig.at_replica() == say("GET", "a"), "nobody has been told of it"
    rig.master(OK)
    rig.client(say("GET", "a"), number=2)
    assert rig.at_master() == say("GET", "a")


def test_forgotten_proofs_cover_nothing() -> None:
    rig = Rig()
    rig.play.forget()
    rig.client(say("GET", "a"))

    assert rig.at_master() == say("GET", "a")


def test_the_reply_of_an_acquiring_command_sends_reads_to_the_master() -> None:
    rig = Rig(clients=2)
    rig.client(say("LPOP", "queue"))
    rig.client(say("GET", "other"), number=2)

    assert rig.at_master() == say("LPOP", "queue")
    assert rig.at_replica() == say("GET", "other"), "nothing is known before it is answered"
    rig.master(NIL)
    rig.client(say("GET", "other"), number=2)
    assert rig.at_master() == say("GET", "other")
    rig.master(NIL)
    rig.replica(NIL)
    assert reasons(rig) == {"acquire": 1}


@pytest.mark.parametrize(
    ("command", "acquires"),
    [
        (("SET", "a", "1"), False),
        (("SET", "a", "1", "NX"), True),
        (("set", "a", "1", "ex", "5", "get"), True),
    ],
)
def test_the_options_of_set_decide_whether_it_acquires(command: tuple[str, ...], acquires: bool) -> None:
    rig = Rig()
    rig.client(say(*command))
    rig.at_master()
    rig.master(OK)
    rig.client(say("GET", "other"))

    assert bool(rig.at_master()) is acquires


def test_a_write_waits_for_the_reads_of_its_key_at_the_replica() -> None:
    rig = Rig()
    rig.client(say("GET", "a"))
    rig.client(say("SET", "a", "1") + say("GET", "a"))

    assert rig.at_replica() == say("GET", "a")
    assert rig.at_master() == b""
    assert rig.play.state(1) == "held"
    rig.replica(NIL)
    assert rig.at_master() == say("SET", "a", "1") + say("GET", "a")
    rig.master(OK + b"$1\r\n1\r\n")
    assert rig.told() == NIL + OK + b"$1\r\n1\r\n"


@pytest.mark.parametrize("barrier", [say("FLUSHALL"), say("MULTI") + say("EXEC"), say("SWAPDB", 0, 1)])
def test_what_may_write_any_key_waits_for_all_reads_at_the_replica(barrier: bytes) -> None:
    rig = Rig()
    rig.client(say("GET", "a"))
    rig.client(barrier)

    assert (rig.at_replica(), rig.at_master()) == (say("GET", "a"), b"")
    rig.replica(NIL)
    assert rig.at_master() == barrier


def test_a_write_of_another_key_does_not_wait() -> None:
    rig = Rig()
    rig.client(say("GET", "a"))
    rig.client(say("SET", "b", "1"))

    assert rig.at_master() == say("SET", "b", "1")


def test_a_read_whose_key_is_written_later_in_the_batch_goes_to_the_master() -> None:
    rig = Rig()
    rig.client(say("GET", "a") + say("GET", "b") + say("MSET", "x", "1", "a", "2"))

    assert rig.at_replica() == say("GET", "b")
    assert rig.at_master() == say("GET", "a") + say("MSET", "x", "1", "a", "2")


def test_a_write_with_unknown_keys_marks_them_all() -> None:
    rig = Rig()
    rig.client(say("FLUSHDB"))
    rig.at_master()
    rig.master(NIL)
    rig.client(say("GET", "a"))

    assert rig.at_master() == say("GET", "a")


def test_a_block_marks_the_keys_of_its_writes_and_acquires() -> None:
    rig = Rig(clients=2)
    block = say("MULTI") + say("SET", "a", "1") + say("GET", "r") + say("EXEC")
    rig.client(block)
    rig.client(say("GET", "a") + say("GET", "r"), number=2)

    assert rig.at_master() == block + say("GET", "a")
    assert rig.at_replica() == say("GET", "r")
    rig.master(OK + b"+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n$-1\r\n" + NIL)
    assert rig.told() == OK + b"+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n$-1\r\n"
    rig.client(say("GET", "z"))
    assert rig.at_master() == say("GET", "z")


def test_a_block_may_come_in_pieces_while_more_is_there() -> None:
    rig = Rig()
    block = say("MULTI") + say("SET", "a", "x" * 20000) + say("EXEC")
    assert rig.play.say(1, block[:16384], last=False)
    assert rig.play.state(1) == "open"
    rig.client(block[16384:])

    assert rig.at_master() == block


def test_an_open_transaction_is_pythons_at_once() -> None:
    rig = Rig()
    rig.client(say("MULTI") + say("SET", "a", "1"))

    assert rig.play.state(1) == "away"
    assert rig.play.unread(1) == say("MULTI") + say("SET", "a", "1")


def test_databases_do_not_share_marks() -> None:
    rig = Rig()
    other = rig.play.open_group(5)
    rig.play.attach(other, 0, 200)
    rig.play.attach(other, 1, 201)
    rig.play.connect(2, other)
    rig.client(say("SET", "a", "1"))
    rig.client(say("GET", "a"), number=2)

    assert rig.play.sent(201) == say("GET", "a")
    assert rig.play.slot(0, b"a") != rig.play.slot(5, b"a")


def test_every_client_keeps_its_replica_and_new_ones_go_where_the_fewest_are() -> None:
    rig = Rig(clients=4)
    rig.play.attach(rig.group, 2, 102)
    rig.play.use_place(2, True)
    rig.play.cover(2, rig.play.begin())
    rig.prove()
    for number in (1, 2, 3, 4):
        rig.client(say("GET", f"k{number}") * 2, number=number)

    assert [rig.play.clients_at(1), rig.play.clients_at(2)] == [2, 2]
    assert rig.at_replica() == say("GET", "k1") * 2 + say("GET", "k4") * 2
    rig.play.vanish(1)
    assert rig.play.clients_at(1) == 1


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (say("SCAN", 0), "cursor"),
        (say("HSCAN", "a", 0), "cursor"),
        (say("DBSIZE"), "policy"),
        (say("OBJECT", "ENCODING", "a"), "policy"),
    ],
)
def test_some_reads_are_the_masters_and_the_tally_says_why(command: bytes, reason: str) -> None:
    rig = Rig()
    rig.client(command)

    assert rig.at_master() == command
    rig.master(NIL)
    assert reasons(rig) == {reason: 1}


def test_policy_can_keep_all_reads_at_the_master_or_ask_for_no_proof() -> None:
    rig = Rig()
    rig.play.permit(False, True, True, False)
    rig.client(say("GET", "a"))
    assert rig.at_master() == say("GET", "a")
    rig.play.permit(True, False, False, False)
    rig.client(say("SET", "b", "1"))
    rig.client(say("GET", "b"))
    assert rig.at_replica() == say("GET", "b")


def test_the_tally_knows_command_route_and_outcome() -> None:
    rig = Rig()
    rig.client(say("PING") + say("GET", "a") + say("INCR", "x") + say("GET"))
    rig.at_master()
    rig.at_replica()
    rig.replica(NIL)
    rig.master(b"-ERR value is not an integer\r\n-ERR wrong number\r\n")

    commands, _, places, _ = rig.play.harvest()
    assert sorted(commands) == [
        *(("get", 0, True, 1), ("get", 1, False, 1), ("incr", 0, True, 1), ("ping", 2, False, 1)),
    ]
    assert places[1] == 1
    assert rig.play.harvest()[0] == []


def test_marks_of_python_and_of_the_engine_are_the_same() -> None:
    rig = Rig()
    generation = rig.play.mark([rig.play.slot(0, b"a")], True)
    rig.client(say("GET", "a") + say("GET", "b"))
    assert (rig.at_master(), rig.at_replica()) == (say("GET", "a"), say("GET", "b"))
    assert rig.play.begin() == generation - 1
    assert rig.play.settled(generation)
    assert rig.play.begin() > generation
    rig.client(say("SET", "c", "1"))
    assert rig.play.needed([rig.play.slot(0, b"c")]) == rig.play.generation
    rig.play.acquire()
    rig.client(say("GET", "z"))
    assert rig.at_master() == say("SET", "c", "1") + say("GET", "z")


def test_a_replica_that_is_not_usable_is_not_read() -> None:
    rig = Rig()
    rig.client(say("GET", "a"))
    rig.play.use_place(1, False)
    rig.client(say("GET", "b"))

    assert (rig.at_replica(), rig.at_master()) == (say("GET", "a"), say("GET", "b"))
    assert {MASTER, REPLICA} == {number for number in (MASTER, REPLICA) if rig.play.stands(number)}
