"""What takes too long is answered so, in time, and never with the reply of something else."""

from __future__ import annotations

import pytest

from podmates_redis.session import deadlines, losing
from podmates_redis.session.budget import Budget
from podmates_redis.session.shared import Policy
from podmates_redis.wire import texts
from tests.unit.redis.rig import OK, QUEUED, Rig, shared

V = b"$1\r\nv\r\n"
TIMED_OUT = b"-ERR upstream timeout\r\n"
READ_ONLY = b"-READONLY You can't write against a read only replica.\r\n"
LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"


class Timed(Rig):
    """A session whose clock the test moves."""

    def __init__(self, *, up: bool = True, replica: bool = True, **policy: object) -> None:
        self.now = 100.0
        facts = shared(replica=replica, policy=Policy(**policy))  # type: ignore[arg-type]
        facts.clock = lambda: self.now
        super().__init__(facts, up=up)

    def after(self, seconds: float) -> float:
        self.now += seconds
        return deadlines.look(self.session)


def test_a_command_at_the_master_has_its_time_and_no_more() -> None:
    rig = Timed()
    rig.send("SET a 1")
    assert rig.after(4.9) == pytest.approx(0.1)
    assert rig.told() == b""

    assert rig.after(0.2) == 0.0
    assert (rig.told(), rig.session.master.drop, rig.session.suspect) == (TIMED_OUT, True, True)


def test_what_came_later_on_that_connection_is_settled_as_on_a_lost_one() -> None:
    rig = Timed(replica=False)
    rig.send("SET a 1")
    rig.after(3)
    rig.send("GET b\nSET c 1")
    rig.asked()
    rig.after(2.5)
    assert rig.told() == TIMED_OUT
    rig.connect()
    assert rig.asked() == [b"GET"]

    rig.master(V)
    assert rig.told() == V + texts.LOST


def test_a_read_gets_half_of_its_time_at_a_replica_then_the_master_is_asked() -> None:
    rig = Timed()
    rig.send("GET a")
    assert rig.after(2.4) == pytest.approx(0.1)
    assert rig.after(0.2) == pytest.approx(2.4)
    assert (rig.asked(), rig.session.replica.drop) == ([b"GET"], True)
    assert rig.shared.tally.retries == {"timeout": 1}
    assert rig.session.suspect

    rig.after(2.5)
    assert rig.told() == TIMED_OUT


@pytest.mark.parametrize("line", ["EVAL_RO x 0", "FCALL_RO f 0"])
def test_a_script_that_runs_long_at_a_replica_is_not_let_loose_on_the_master(line: str) -> None:
    rig = Timed()
    rig.send(line + "\nGET a")
    rig.after(2.6)
    assert rig.asked() == []
    rig.after(2.5)

    assert (rig.told(), rig.session.replica.drop) == (TIMED_OUT + TIMED_OUT, True)


@pytest.mark.parametrize("line", ["BLPOP q 0", "WAIT 1 0", "MONITOR", "SUBSCRIBE c"])
def test_what_may_wait_for_ever_has_no_deadline(line: str) -> None:
    rig = Timed()
    rig.send(line)
    if line[:2] == "WA":
        rig.master(b"+PONG\r\n")
    if line[:2] == "SU":
        rig.master(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
        rig.send("PING")
    rig.told()
    rig.after(1e6)

    assert rig.told() == b""
    assert not rig.session.abort
    assert not rig.session.master.drop


def test_the_time_of_what_waits_behind_a_wait_begins_when_that_ends() -> None:
    rig = Timed()
    rig.send("BLPOP q 0\nSET a 1")
    rig.after(50)
    rig.master(b"*-1\r\n")
    rig.told()
    rig.after(4.9)
    assert rig.told() == b""
    rig.after(0.2)

    assert rig.told() == TIMED_OUT


def test_what_is_before_a_wait_has_its_deadline() -> None:
    rig = Timed()
    rig.send("SET a 1\nBLPOP q 0")
    rig.after(5.1)

    assert rig.told() == TIMED_OUT + texts.UNBLOCKED


def test_a_reply_that_is_coming_is_not_cut_off_before_it_stops() -> None:
    rig = Timed(replica=False)
    rig.send("GET a")
    rig.master(b"$900000\r\n" + b"x" * 100_000)
    rig.told()
    for _ in range(3):
        rig.after(4.9)
        rig.master(b"x" * 100_000)
    assert not rig.session.abort
    rig.after(5.1)

    assert rig.session.abort


def test_a_transaction_on_a_silent_master_did_not_run_and_exec_on_its_way_closes() -> None:
    rig, other = Timed(), Timed()
    rig.send("MULTI\nSET a 1")
    rig.after(5.1)
    rig.send("EXEC")
    assert rig.told() == OK + QUEUED + b"-EXECABORT Transaction discarded because of previous errors.\r\n"

    other.send("MULTI\nSET a 1\nEXEC")
    other.after(5.1)
    assert other.session.abort


def test_what_waits_for_a_master_has_its_time_too() -> None:
    rig = Timed(up=False)
    rig.send("SET a 1")
    rig.after(5.1)

    assert rig.told() == TIMED_OUT
    assert not rig.session.wants_master()


def test_no_limit_is_none() -> None:
    rig = Timed(op_timeout=0.0)
    rig.send("SET a 1\nGET b")

    assert rig.after(1e9) == 0.0
    assert rig.told() == b""


@pytest.mark.parametrize("error", [READ_ONLY, LOADING])
def test_a_refused_command_is_sent_again_for_a_while_and_then_told(error: bytes) -> None:
    rig = Timed(failover_wait=3.0)
    rig.send("SET a 1")
    for _ in range(3):
        rig.master(error)
        assert (rig.told(), rig.session.master.drop) == (b"", True)
        rig.after(1.1)
        rig.connect()
        assert rig.asked()[-1:] == [b"SET"]
    rig.master(error)

    assert rig.told() == error


def test_a_refused_command_whose_time_is_up_is_told_why() -> None:
    rig = Timed(failover_wait=60.0)
    rig.send("SET a 1")
    rig.master(LOADING)
    rig.after(5.1)

    assert rig.told() == LOADING


def test_no_master_in_time_says_what_the_last_one_said() -> None:
    rig = Timed()
    rig.send("SET a 1")
    rig.master(LOADING)
    losing.give_up(rig.session, losing.nobody(starting=False, serving=True))

    assert rig.told() == LOADING


def test_a_read_whose_reply_is_lost_again_and_again_is_told_so() -> None:
    rig = Timed(replica=False, retries=2)
    rig.send("GET a")
    for _ in range(2):
        rig.lose_master()
        rig.connect()
        assert rig.asked()[-1:] == [b"GET"]
    rig.lose_master()

    assert rig.told() == texts.LOST


def test_a_command_that_may_have_run_may_close_its_client_instead() -> None:
    rig = Timed(close_on_unknown=True)
    rig.send("SET a 1")
    rig.lose_master()

    assert rig.session.abort
    assert rig.told() == b""


def test_retries_are_a_share_of_the_requests() -> None:
    rig = Timed()
    rig.shared.budget = Budget(share=0.2, most=2.0)
    rig.send("GET a\nGET b\nGET c")
    rig.lose_replica()
    assert rig.asked() == [b"GET", b"GET"]
    rig.master(V + V)

    assert rig.told() == V + V + texts.LOST


def test_a_budget_is_earned_by_requests_and_bounded() -> None:
    budget = Budget(share=0.2, most=1.0)
    assert [budget.spend(), budget.spend()] == [True, False]
    budget.earn(4)
    assert not budget.spend()
    budget.earn(1000)
    assert [budget.spend(), budget.spend()] == [True, False]


def test_an_idle_transaction_is_let_go_of_and_its_exec_says_so() -> None:
    rig = Timed()
    rig.send("MULTI\nSET a 1")
    rig.master(OK + QUEUED)
    losing.transaction_idle(rig.session)
    assert rig.session.master.drop
    rig.connect()
    rig.send("EXEC\nSET b 1")

    assert rig.told().split(b"\r\n")[2].startswith(b"-EXECABORT")
    assert rig.asked() == [b"SET"]


def test_an_answer_that_nobody_waits_for_has_no_deadline() -> None:
    """What was sent to a replica to change its state, or to teach it a script."""
    rig = Timed()
    rig.send("SELECT 3")
    rig.master(OK)
    rig.send("GET a")
    assert rig.asked_replica() == [b"SELECT", b"GET"]

    assert rig.after(2.4) == pytest.approx(0.1)
    assert rig.asked() == [b"SELECT"]


def test_a_replica_is_left_only_when_nothing_of_it_is_missing() -> None:
    rig = Timed()
    rig.send("GET a")
    assert not losing.leave_replica(rig.session)
    assert rig.session.follower is not None
    rig.replica(V)
    assert losing.leave_replica(rig.session)
    assert rig.session.follower is None
