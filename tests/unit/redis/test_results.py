"""What is ours in a transaction is done when EXEC runs it, and the state it leaves is the client's."""

from __future__ import annotations

from podmates_redis.session.shared import Policy
from podmates_redis.session.state import State
from podmates_redis.wire.dialects import Dialect
from podmates_redis.wire.requests import Requests
from tests.unit.redis.rig import OK, QUEUED, Rig, prove, shared

WRONG = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"


def local() -> Rig:
    facts = shared()
    facts.logins = lambda: {b"default": [b"main"], b"bob": [b"secret"]}
    rig = Rig(facts)
    rig.send("AUTH main")
    assert rig.told() == OK
    return rig


def run(rig: Rig, lines: str, reply: bytes) -> bytes:
    """Play a transaction of *lines*, all of them taken, whose EXEC the master answers with *reply*."""
    rig.send("\n".join(["MULTI", *lines.split("\n")]))
    rig.asked()
    rig.master(OK + QUEUED * len(lines.split("\n")))
    rig.told()
    rig.send("EXEC")
    rig.master(reply)
    return rig.told()


def test_a_login_counts_from_exec_on() -> None:
    rig = local()
    rig.send("MULTI\nAUTH bob secret")
    rig.master(OK + QUEUED)
    assert rig.session.user() == b"default"
    rig.send("DISCARD")
    rig.master(OK)
    assert rig.session.user() == b"default"

    reply = b"*3\r\n-ERR x\r\n-ERR x\r\n$7\r\ndefault\r\n"
    told = run(rig, "AUTH bob secret\nAUTH bob wrong\nACL WHOAMI", reply)

    assert told == b"*3\r\n" + OK + WRONG + b"$3\r\nbob\r\n"
    assert rig.session.user() == b"bob"


def test_a_greeting_with_a_login_is_two_things() -> None:
    rig = local()
    told = run(rig, "HELLO 3 AUTH bob secret SETNAME me", b"*1\r\n%1\r\n$2\r\nid\r\n:5\r\n")

    assert told == b"*1\r\n%%1\r\n$2\r\nid\r\n:%d\r\n" % rig.session.id
    assert rig.session.user() == b"bob"
    assert rig.session.state == rig.session.master.state == State(protocol=3, name=b"me")
    assert run(rig, "HELLO 2 AUTH bob wrong", b"*1\r\n-ERR x\r\n") == b"*1\r\n" + WRONG
    assert rig.session.state.protocol == 3


def test_a_login_before_what_is_wrong_in_a_greeting_counts() -> None:
    """A server does what its words say from left to right; the servers hear nothing of the login."""
    rig = local()
    rig.send("HELLO 3 AUTH bob secret FOO x")
    assert Requests().feed(b"".join(rig.session.master.out))[-1].args == [b"HELLO", b"3", b"FOO"]
    rig.master(b"-ERR Syntax error in HELLO option 'FOO'\r\n")

    assert rig.told().startswith(b"-ERR Syntax")
    assert rig.session.user() == b"bob"


def test_every_login_of_a_greeting_counts_where_it_is_done_at_once() -> None:
    rig = local()
    rig.send("HELLO 3 SETNAME a AUTH bob wrong SETNAME b AUTH default main")
    assert Requests().feed(b"".join(rig.session.master.out))[-1].args == [
        b"HELLO", b"3", b"SETNAME", b"a", b"AUTH",
    ]  # fmt: skip
    rig.master(b"-ERR Syntax error in HELLO option 'AUTH'\r\n")

    assert rig.told() == WRONG
    assert (rig.session.user(), rig.session.state) == (b"default", State(name=b"a"))
    rig.send("HELLO 2 AUTH bob secret AUTH bob wrong")
    assert rig.told() == WRONG
    assert rig.session.user() == b"bob"


def test_the_last_login_of_a_greeting_counts_where_all_words_are_looked_at_first() -> None:
    rig = local()
    rig.shared.dialect = Dialect()
    rig.send("HELLO 2 AUTH bob wrong AUTH bob secret")
    rig.master(b"*2\r\n$2\r\nid\r\n:5\r\n")
    assert (rig.told()[:2], rig.session.user()) == (b"*2", b"bob")

    for wrong in ("FOO", "SETNAME a\x01b"):
        rig.send(f"HELLO 2 SETNAME a AUTH default main {wrong}")
        rig.master(b"-ERR no\r\n")
        assert (rig.session.user(), rig.session.state) == (b"bob", State())


def test_who_ends_itself_hears_nothing_of_what_is_behind() -> None:
    rig = Rig()
    lines = f"GET k\nCLIENT KILL ID {rig.session.id} SKIPME no\nGET k\nCLIENT SETNAME me"

    assert run(rig, lines, b"*4\r\n$-1\r\n:0\r\n$-1\r\n+OK\r\n") == b"*4\r\n$-1\r\n:1\r\n"
    assert rig.session.closing
    assert rig.session.state.name == b"me"  # it was run all the same

    rig = Rig()
    rig.send(f"CLIENT KILL ID {rig.session.id} SKIPME no\nSET k v")
    rig.master(b":0\r\n")
    assert rig.told() == b":1\r\n"
    assert rig.asked() == [b"CLIENT"]


def test_its_state_is_the_clients_only_as_far_as_the_master_went() -> None:
    rig = Rig()
    lines = "SELECT 3\nSELECT 99\nHELLO 3\nGET k"
    run(rig, lines, b"*4\r\n+OK\r\n-ERR out of range\r\n%1\r\n$2\r\nid\r\n:5\r\n_\r\n")

    assert rig.session.state == State(database=3, protocol=3)
    assert rig.session.databases == {3}
    assert not rig.session.pinned
    assert not rig.session.unsettled
    assert rig.asked_replica() == []
    prove(rig.shared)
    rig.send("GET other")
    assert rig.asked_replica() == [b"HELLO", b"SELECT", b"GET"]


def test_until_exec_is_answered_its_client_may_be_in_either_database() -> None:
    rig = Rig()
    rig.send("MULTI\nSELECT 3\nEXEC\nSET k v\nGET k")
    assert rig.asked_replica() == []
    assert rig.session.databases == {0, 3}
    rig.master(OK + QUEUED + b"*1\r\n+OK\r\n" + OK + b"$1\r\nv\r\n")

    assert rig.session.databases == {3}


def test_an_exec_that_runs_nothing_changes_nothing() -> None:
    for reply in (b"*-1\r\n", b"-EXECABORT x\r\n", b"*0\r\n"):
        rig = Rig()
        assert run(rig, "SELECT 3\nCLIENT NO-EVICT on", reply) == reply
        assert (rig.session.state, rig.session.databases) == (State(), {0})
        assert not rig.session.unsettled
        assert not rig.session.protected


def test_what_a_server_refuses_to_queue_has_no_place_in_the_reply() -> None:
    """Redis goes on after a nested MULTI."""
    rig = Rig()
    rig.send("MULTI\nGET k\nMULTI\nCLIENT ID\nEXEC")
    rig.master(OK + QUEUED + b"-ERR MULTI calls can not be nested\r\n" + QUEUED + b"*2\r\n$1\r\nv\r\n:77\r\n")

    assert rig.told().endswith(b"*2\r\n$1\r\nv\r\n:%d\r\n" % rig.session.id)


def test_large_elements_stay_what_they_are() -> None:
    rig = Rig()
    large = b"$100000\r\n" + b"x" * 100_000 + b"\r\n"

    told = run(rig, "GET k\nCLIENT ID\nGET k", b"*3\r\n" + large + b":77\r\n" + large)

    assert told == b"*3\r\n" + large + b":%d\r\n" % rig.session.id + large


def test_a_lost_exec_closes_and_one_not_sent_says_that_nothing_ran() -> None:
    rig = Rig()
    rig.send("MULTI\nSELECT 3")
    rig.master(OK + QUEUED)
    rig.told()
    rig.lose_master()
    rig.send("EXEC")
    assert rig.told().startswith(b"-EXECABORT")
    assert not rig.session.unsettled
    rig.connect()
    rig.send("MULTI\nSELECT 3\nEXEC")
    rig.lose_master()

    assert rig.session.abort


def test_clients_are_ended_when_exec_says_so() -> None:
    rig = Rig()
    other = Rig(rig.shared)
    rig.send(f"MULTI\nCLIENT KILL ID {other.session.id}\nCLIENT KILL ID {rig.session.id} SKIPME no")
    rig.master(OK + QUEUED + QUEUED)
    assert not other.session.abort
    rig.send("EXEC")
    rig.told()
    rig.master(b"*2\r\n:0\r\n:0\r\n")

    assert rig.told() == b"*2\r\n:1\r\n:1\r\n"
    assert other.session.abort
    assert rig.session.closing


def test_a_login_of_the_clients_own_is_the_masters() -> None:
    rig = Rig(shared(policy=Policy(passthrough=True)))
    rig.send("MULTI\nAUTH bob secret")
    assert Requests().feed(b"".join(rig.session.master.out))[1].args == [b"AUTH", b"bob", b"secret"]
    rig.master(OK + QUEUED)
    rig.send("EXEC")
    rig.master(b"*1\r\n+OK\r\n")

    assert (rig.session.state.user, rig.session.state.password) == (b"bob", b"secret")


def test_silence_is_not_kept_in_a_transaction() -> None:
    """A server would drop parts of EXEC's reply, and nobody could read the rest."""
    rig = Rig()
    told = run(rig, "CLIENT REPLY ON\nCLIENT REPLY OFF", b"*2\r\n-ERR syntax error\r\n-ERR syntax error\r\n")

    assert told == b"*2\r\n" + OK + b"-ERR syntax error\r\n"
    assert not rig.session.muted
