"""Where each command goes, what it waits for, and in which order the replies leave."""

from __future__ import annotations

import pytest

from podmates_redis.servers.choosing import Choice
from podmates_redis.session.shared import Policy
from tests.unit.redis.rig import OK, QUEUED, Rig, prove, shared

V = b"$1\r\nv\r\n"
READS = {
    "GET k": "",
    "hgetall h": "",
    "XREAD STREAMS s 0": "",
    "SORT_RO l BY nosort": "",
    "EVAL_RO x 0": "",
    "ZUNION 2 a b": "",
    "SCAN 0": "cursor",
    "HSCAN h 0": "cursor",
    "KEYS *": "policy",
    "OBJECT ENCODING k": "policy",
    "MEMORY USAGE k": "policy",
    "DUMP k": "policy",
    "TOUCH k": "policy",
    "RANDOMKEY": "policy",
}
TO_MASTER = """
SET k v
GETEX k
SORT l
GEORADIUS g 0 0 1 m
BITFIELD k GET u8 0
PUBLISH c m
TIME
INFO
EVAL x 0
FOO bar
GET
GET a b
XREAD BLOCK 1 STREAMS s $
CONFIG GET x
CLIENT HELP
""".strip().splitlines()


@pytest.mark.parametrize(("line", "why"), READS.items(), ids=READS.keys())
def test_a_read_goes_to_the_replica_unless_there_is_a_reason(line: str, why: str) -> None:
    rig = Rig()
    rig.send(line)

    assert (len(rig.asked_replica()), len(rig.asked())) == ((0, 1) if why else (1, 0))
    assert rig.session.slots[0].why == why


@pytest.mark.parametrize("line", TO_MASTER)
def test_all_else_goes_to_the_master(line: str) -> None:
    rig = Rig()
    rig.send(line)

    assert (len(rig.asked_replica()), len(rig.asked())) == (0, 1)


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (Policy(consistency="strict"), "policy"),
        (Policy(choice=Choice(read_from="master")), "policy"),
        (Policy(consistency="session"), "mark"),
        (Policy(consistency="own-writes"), "mark"),
        (Policy(consistency="bounded"), ""),
        (Policy(consistency="eventual"), ""),
    ],
    ids=str,
)
def test_a_read_after_a_write_asks_for_what_was_promised(policy: Policy, why: str) -> None:
    rig = Rig(shared(policy=policy))
    rig.send("SET k v")
    rig.master(OK)
    rig.send("GET k")

    assert rig.session.slots[0].why == why


def test_a_proof_brings_the_read_back_to_the_replica() -> None:
    rig = Rig()
    rig.send("SET k v")
    rig.master(OK)
    rig.send("GET k")
    rig.master(V)
    assert rig.shared.turned_away

    prove(rig.shared)
    rig.send("GET k")
    assert rig.asked_replica() == [b"GET"]


@pytest.mark.parametrize(
    ("line", "reply"),
    [("SET l 1 NX", OK), ("LPOP l", V), ("EVAL x 0", V), ("BLPOP l 0", b"*-1\r\n"), ("WATCH k", OK)],
)
def test_who_learns_of_others_reads_what_they_wrote(line: str, reply: bytes) -> None:
    """A lock, a queue, a script may tell of writes of another pod: then no older read is good enough."""
    rig, other = Rig(), Rig()
    other.shared = other.session.shared = rig.shared
    rig.send(line)
    rig.master(reply)
    rig.send("UNWATCH")
    rig.send("GET unrelated")

    assert rig.session.slots[-1].why in ("acquire", "mark")


def test_counting_is_no_acquiring() -> None:
    rig = Rig()
    rig.send("INCR n")
    rig.master(b":1\r\n")
    rig.send("GET unrelated")

    assert rig.asked_replica() == [b"GET"]


def test_replies_leave_in_the_order_of_the_requests() -> None:
    rig = Rig()
    rig.send("SET a 1\nGET b\nPING\nGET a")
    rig.replica(b"$1\r\nb\r\n")
    assert rig.told() == b""

    rig.master(OK)
    assert rig.told() == b"+OK\r\n$1\r\nb\r\n+PONG\r\n"
    rig.master(b"$1\r\n1\r\n")
    assert rig.told() == b"$1\r\n1\r\n"


def test_a_write_waits_for_its_clients_reads_of_the_key() -> None:
    rig = Rig()
    rig.send("GET k")
    rig.send("SET k new\nSET other x")
    assert rig.asked() == []

    rig.replica(V)
    assert rig.asked() == [b"SET", b"SET"]


def test_a_read_whose_key_is_written_later_in_the_batch_goes_to_the_master() -> None:
    rig = Rig()
    rig.send("GET k\nGET other\nSET k new")

    assert rig.asked() == [b"GET", b"SET"]
    assert rig.asked_replica() == [b"GET"]
    assert rig.session.slots[0].why == "pipeline"


def test_nothing_is_let_in_behind_a_blocking_command() -> None:
    rig = Rig()
    rig.send("BLPOP q 0\nGET k\nPING")
    assert (rig.asked(), rig.asked_replica()) == ([b"BLPOP"], [])

    rig.master(b"*-1\r\n")
    assert rig.told() == b"*-1\r\n"


def test_a_change_of_state_reaches_the_replica_before_the_next_read() -> None:
    rig = Rig()
    rig.send("SELECT 3\nGET k")
    assert rig.asked() == [b"SELECT", b"GET"]  # until it is answered, only the master knows the database

    rig.master(OK + V)
    rig.send("GET k")
    assert rig.asked_replica() == [b"SELECT", b"GET"]
    rig.replica(OK + V)
    assert rig.told() == OK + V + V


def test_a_read_behind_a_change_that_the_replica_refuses_is_the_masters() -> None:
    rig = Rig()
    rig.send("SELECT 3")
    rig.master(OK)
    rig.send("GET k")
    rig.asked()
    rig.replica(b"-ERR DB index is out of range\r\n" + V)

    assert rig.session.replica.drop
    assert rig.asked() == [b"GET"]


def test_a_database_that_may_be_selected_is_marked_too() -> None:
    rig, other = Rig(), None
    rig.send("SELECT 3\nSET k v")
    rig.master(OK + OK)
    other = Rig(rig.shared)
    other.send("GET k")  # database 0, where the write would be had SELECT failed

    assert other.session.slots[0].why == "mark"


def test_without_a_replica_the_master_reads_and_says_why() -> None:
    rig = Rig(shared(replica=False))
    rig.send("GET k")

    assert rig.session.slots[0].why == "no_replica"


def test_a_client_keeps_its_replica_while_that_is_usable() -> None:
    facts = shared()
    first = facts.followers[0]
    rig = Rig(facts)
    rig.send("GET a")
    rig.replica(V)
    facts.followers.append(type(first)("replica:2", usable=True, covered=first.covered))
    rig.send("GET a")
    assert rig.session.follower is first

    rig.replica(V)
    first.usable = False
    rig.send("GET a")
    assert rig.session.follower is facts.followers[1]
    assert rig.session.replica.drop and not rig.session.replica.up


def test_a_transaction_stays_on_the_masters_connection() -> None:
    rig = Rig()
    rig.send("WATCH k\nGET k\nMULTI\nGET k\nSET k v\nEXEC\nGET k")

    assert rig.asked() == [b"WATCH", b"GET", b"MULTI", b"GET", b"SET", b"EXEC", b"GET"]
    rig.master(OK + V + OK + QUEUED + QUEUED + b"*2\r\n" + V + OK + V)
    assert rig.told() == OK + V + OK + QUEUED + QUEUED + b"*2\r\n" + V + OK + V


def test_exec_marks_what_its_transaction_writes() -> None:
    rig = Rig(shared(policy=Policy(consistency="own-writes")))
    rig.send("MULTI\nSET k v\nEXEC")
    rig.master(OK + QUEUED + b"*1\r\n" + OK)
    rig.asked()
    rig.send("GET other\nGET k")

    assert (rig.asked_replica(), rig.asked()) == ([b"GET"], [b"GET"])


def test_exec_marks_everything_where_it_changes_the_database() -> None:
    rig = Rig(shared(policy=Policy(consistency="own-writes")))
    rig.send("MULTI\nSELECT 1\nSET k v\nEXEC")
    rig.master(OK + QUEUED + QUEUED + b"*2\r\n" + OK + OK)
    other = Rig(rig.shared)
    other.send("SELECT 1")
    other.master(OK)
    other.send("GET k")

    assert other.session.slots[-1].why == "mark"


def test_a_large_reply_streams_and_its_client_counts_as_knowing() -> None:
    rig = Rig()
    rig.send("LPOP l\nGET other")
    rig.master(b"$200000\r\n" + b"x" * 100_000)
    assert len(rig.told()) > 100_000
    assert rig.shared.marks.floor > rig.shared.followers[0].covered

    rig.master(b"x" * 100_000 + b"\r\n")
    assert len(rig.told()) == 100_002
