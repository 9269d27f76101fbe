"""A lost connection: one reply for each request, never another's, and no transaction half forgotten."""

from __future__ import annotations

import pytest

from podmates_redis.session import losing
from podmates_redis.session.shared import Policy, Shared
from podmates_redis.wire import texts
from tests.unit.redis.rig import OK, QUEUED, Rig, shared

LOST = b"-ERR upstream connection lost before the reply, the command may have run\r\n"
ABORTED = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
READ_ONLY = b"-READONLY You can't write against a read only replica.\r\n"
V = b"$1\r\nv\r\n"


def test_reads_are_asked_again_and_writes_may_have_run() -> None:
    rig = Rig(shared(replica=False))
    rig.send("GET a\nSET k v\nGET b")
    rig.lose_master()
    assert rig.told() == b""
    assert rig.session.wants_master()

    rig.connect()
    assert rig.asked() == [b"GET", b"GET"]
    rig.master(V + V)
    assert rig.told() == V + LOST + V


def test_what_was_not_sent_is_sent_when_there_is_a_connection() -> None:
    rig = Rig(up=False)
    rig.send("SET k v\nINCR n")
    assert rig.session.wants_master()

    rig.connect()
    assert rig.asked() == [b"SET", b"INCR"]


def test_a_write_is_marked_when_it_is_sent() -> None:
    """One that waits for a connection and is refused in the end has changed nothing."""
    rig = Rig(up=False)
    rig.send("SET k v")
    losing.give_up(rig.session, losing.nobody(starting=False, serving=True))
    assert rig.told() == READ_ONLY

    rig.send("GET k")
    rig.connect(master=False)
    assert rig.asked_replica() == [b"GET"]


@pytest.mark.parametrize(
    ("starting", "serving", "line", "word"),
    [
        (True, False, "SET k v", b"-LOADING"),
        (False, True, "SET k v", b"-READONLY"),
        (False, False, "SET k v", b"-MASTERDOWN"),
        (False, True, "SCAN 0", b"-MASTERDOWN"),
    ],
)
def test_no_master_in_time_is_said_in_words_that_clients_know(
    starting: bool, serving: bool, line: str, word: bytes
) -> None:
    rig = Rig(up=False)
    rig.send(line)
    losing.give_up(rig.session, losing.nobody(starting=starting, serving=serving))

    assert rig.told().split()[0] == word


def test_a_lost_write_leaves_its_mark() -> None:
    rig = Rig()
    rig.send("SET k v")
    rig.lose_master()
    assert rig.told() == LOST

    rig.send("GET k")
    assert rig.session.slots[0].why == "mark"


def test_a_transaction_whose_connection_is_lost_did_not_run_and_exec_says_so() -> None:
    rig = Rig()
    rig.send("MULTI\nSET k v")
    rig.master(OK)
    rig.lose_master()
    rig.connect()
    rig.send("SET k w\nMULTI\nEXEC\nPING")

    assert (
        rig.told()
        == OK + QUEUED + QUEUED + b"-ERR MULTI calls can not be nested\r\n" + ABORTED + b"+PONG\r\n"
    )
    assert rig.asked() == []


def test_exec_on_its_way_is_not_answered_but_closed() -> None:
    rig = Rig()
    rig.send("MULTI\nSET k v\nEXEC")
    rig.master(OK + QUEUED)
    rig.lose_master()

    assert rig.session.abort


def test_a_watch_that_was_lost_breaks_the_transaction_after_it() -> None:
    rig = Rig()
    rig.send("WATCH k")
    rig.master(OK)
    rig.lose_master()
    rig.connect()
    rig.send("MULTI\nSET k v\nEXEC\nMULTI")

    assert rig.told() == OK + OK + QUEUED + b"*-1\r\n"
    assert rig.asked() == [b"MULTI"]  # the next one is sound again


def test_unwatch_forgets_a_lost_watch() -> None:
    rig = Rig()
    rig.send("WATCH k")
    rig.master(OK)
    rig.lose_master()
    rig.connect()
    rig.send("UNWATCH\nMULTI")

    assert rig.asked() == [b"UNWATCH", b"MULTI"]


def test_a_blocked_client_is_unblocked_in_the_servers_words() -> None:
    rig = Rig()
    rig.send("BLPOP q 0\nPING")
    rig.lose_master()

    assert rig.told().startswith(b"-UNBLOCKED force unblock from blocking operation")
    assert not rig.session.slots


@pytest.mark.parametrize("line", ["SUBSCRIBE c", "CLIENT TRACKING ON", "MONITOR"])
def test_what_cannot_be_made_again_closes_the_client(line: str) -> None:
    rig = Rig()
    rig.send(line)
    rig.master(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n" if line[0] == "S" else OK)
    rig.lose_master()

    assert rig.session.abort or rig.session.closing


def test_a_demoted_master_hands_its_run_to_the_next_one_in_order() -> None:
    """Refused writes were not run, reads are asked again, a write that did run keeps its answer."""
    rig = Rig(shared(replica=False))
    rig.send("SET a 1\nGET a\nSET b 2\nGET b")
    rig.asked()
    rig.master(READ_ONLY)
    rig.send("SET c 3")
    rig.master(V + READ_ONLY + V)
    assert (rig.told(), rig.session.suspect, rig.session.master.drop) == (b"", True, True)

    rig.connect()
    assert rig.asked() == [b"SET", b"GET", b"SET", b"GET", b"SET"]
    rig.master(OK + V + OK + V + OK)
    assert rig.told() == OK + V + OK + V + OK


def test_a_transaction_that_a_demoted_master_refused_in_part_says_that_nothing_ran() -> None:
    rig = Rig()
    rig.send("MULTI\nSET k v")
    rig.master(OK + READ_ONLY)
    rig.send("EXEC")
    rig.master(ABORTED)

    assert rig.told() == OK + QUEUED + ABORTED
    assert rig.session.suspect


@pytest.mark.parametrize("together", [True, False])
def test_a_watched_transaction_that_a_demoted_master_refused_finds_its_watch_broken(together: bool) -> None:
    rig = Rig()
    rig.send("WATCH w")
    rig.master(OK)
    steps = [("MULTI", OK), ("GET w", QUEUED), ("SET w v", READ_ONLY), ("EXEC", ABORTED)]
    if together:
        rig.send("\n".join(line for line, _ in steps))
        rig.master(b"".join(reply for _, reply in steps))
    else:
        for line, reply in steps:
            rig.send(line)
            rig.master(reply)

    assert rig.told() == OK + OK + QUEUED + QUEUED + b"*-1\r\n"


@pytest.mark.parametrize("before", ["refused", "run"])
def test_a_whole_transaction_that_a_demoted_master_refused_runs_at_the_next_one(before: str) -> None:
    """Wherever the client has got to, it hears of one transaction that ran once."""
    rig = Rig(shared(replica=False))
    rig.send("SET a 1\nMULTI\nGET k\nSET k v\nINCR n\nEXEC\nGET k")
    rig.asked()
    first = [READ_ONLY, OK] if before == "refused" else [OK, OK]
    rig.master(b"".join([*first, QUEUED, READ_ONLY, READ_ONLY, ABORTED, V]))
    told = rig.told()
    assert rig.session.master.drop

    rig.connect()
    again = [b"SET"] if before == "refused" else []
    assert rig.asked() == [*again, b"MULTI", b"GET", b"SET", b"INCR", b"EXEC", b"GET"]
    done = b"*3\r\n" + V + OK + b":1\r\n"
    rig.master(b"".join([*([OK] if again else []), OK, QUEUED, QUEUED, QUEUED, done, V]))
    assert told + rig.told() == OK + OK + QUEUED * 3 + done + V
    assert not rig.session.slots


def test_another_master_waits_for_the_last_replies_of_the_old_one() -> None:
    rig = Rig()
    rig.send("SET a 1")
    assert losing.master_moved(rig.session)
    rig.send("SET b 2")
    assert rig.asked() == [b"SET"]

    rig.master(OK)
    assert rig.told() == OK
    rig.connect()
    assert rig.asked() == [b"SET"]


@pytest.mark.parametrize(
    "error", [b"-LOADING x\r\n", b"-MASTERDOWN x\r\n", b"-ERR any\r\n", b"-NOSCRIPT x\r\n"]
)
def test_an_error_of_a_replica_is_never_shown(error: bytes) -> None:
    rig = Rig()
    rig.send("GET a\nGET b")
    rig.replica(error)
    rig.master(V)
    if not rig.session.replica.drop:
        rig.replica(V)
    rig.master(V) if rig.session.master.queue else None

    assert rig.told() == V + V


def test_a_lost_replica_leaves_its_reads_to_the_master() -> None:
    rig = Rig()
    rig.send("GET a\nGET b")
    rig.replica(V)
    rig.lose_replica()
    rig.master(V)

    assert rig.told() == V + V
    assert rig.shared.tally.reads == {("replica", "", "replica:1"): 1, ("master", "retry", ""): 1}


def test_a_reply_that_is_partly_with_the_client_cannot_be_taken_back() -> None:
    rig = Rig()
    rig.send("GET a")
    rig.replica(b"$200000\r\n" + b"x" * 100_000)
    rig.lose_replica()

    assert rig.session.abort


def test_a_reply_that_nobody_asked_for_closes_the_client() -> None:
    rig = Rig()
    rig.master(OK)

    assert rig.session.abort


def test_a_wait_goes_on_at_the_next_master_for_the_rest_of_its_time() -> None:
    now = [100.0]
    rig = Rig(Shared(policy=Policy(resume_waits=True), clock=lambda: now[0]))
    rig.send("BLPOP a b 30")
    rig.asked()
    for left in (b"20.000", b"10.000"):
        now[0] += 10
        rig.master(texts.UNBLOCKED)
        assert rig.session.master.drop
        rig.connect()
        assert rig.session.master.queue[0].args == [b"BLPOP", b"a", b"b", left]
        assert rig.told() == b""

    rig.master(b"*2\r\n$1\r\na\r\n" + V)
    assert rig.told() == b"*2\r\n$1\r\na\r\n" + V
    assert rig.session.blocked is None


def test_a_wait_whose_connection_is_lost_may_have_been_given_an_element() -> None:
    """To wait on in silence would lose it without anybody knowing."""
    rig = Rig(Shared(policy=Policy(resume_waits=True, close_on_unknown=True)))
    rig.send("BLPOP a 0")
    rig.asked()
    rig.lose_master()
    assert rig.session.abort


def test_who_is_unblocked_by_a_client_hears_of_it() -> None:
    line = b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"
    rig = Rig(Shared(policy=Policy(resume_waits=True)))
    rig.send("BLPOP a 0")
    rig.master(line)
    assert rig.told() == line
