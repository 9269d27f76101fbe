"""When too much waits for a server, more is refused at once, and nothing half done runs."""

from __future__ import annotations

import pytest

from podmates_redis.session import losing
from podmates_redis.session.shared import Policy, Shared
from podmates_redis.wire import texts
from tests.unit.redis.rig import OK, Rig, shared


def crowded(waiting: int = 3, *, replica: bool = False) -> Shared:
    """Return the facts of a process in which *waiting* commands may wait and do."""
    facts = shared(replica=replica, policy=Policy(max_pending=waiting))
    other = Rig(facts, up=False)
    for number in range(waiting):
        other.send(f"SET k {number}")
    assert facts.crowd.pending == waiting
    return facts


@pytest.mark.parametrize("line", ["SET k v", "GET k", "BLPOP q 0", "SUBSCRIBE c", "TIME"])
def test_one_more_that_would_wait_is_refused(line: str) -> None:
    rig = Rig(crowded(), up=False)
    rig.send(line)
    assert rig.told() == texts.OVERLOADED == b"-ERR ambassador overloaded\r\n"
    assert not rig.session.wants_master() and rig.session.idle()


def test_who_need_not_wait_is_served() -> None:
    rig = Rig(crowded(replica=True))
    rig.send("SET k v\nGET k2\nPING")
    assert (rig.asked(), rig.asked_replica()) == ([b"SET"], [b"GET"])
    rig.master(OK)
    rig.replica(b"$-1\r\n")
    assert rig.told() == OK + b"$-1\r\n+PONG\r\n"
    apart = Rig(rig.shared, up=False)
    apart.send("PING")
    assert apart.told() == b"+PONG\r\n"


def test_a_transaction_that_cannot_begin_runs_nothing() -> None:
    rig = Rig(crowded(), up=False)
    rig.send("MULTI\nSET k v\nEXEC")
    assert rig.told() == OK + b"+QUEUED\r\n" + texts.ABORTED
    assert rig.session.transaction is None


def test_a_transaction_behind_a_watch_that_was_refused_does_not_run() -> None:
    facts = crowded()
    rig = Rig(facts, up=False)
    rig.send("WATCH k")
    assert rig.told() == texts.OVERLOADED
    facts.crowd.pending = 0
    rig.send("MULTI\nSET k v\nEXEC")
    assert rig.told() == OK + b"+QUEUED\r\n*-1\r\n"
    assert not rig.session.wants_master()


def test_what_waits_no_longer_makes_room() -> None:
    facts = crowded(1)
    rig = Rig(facts, up=False)
    rig.send("SET k v")
    assert rig.told() == texts.OVERLOADED
    facts.policy = Policy(max_pending=2)
    rig.send("SET k v")
    assert facts.crowd.pending == 2
    losing.give_up(rig.session, texts.READ_ONLY)
    assert facts.crowd.pending == 1
    rig.send("SET k v")
    rig.connect()
    assert facts.crowd.pending == 1
