"""Commands about the connection itself: login, what is refused, silence, and the end."""

from __future__ import annotations

import pytest

from podmates_redis.clients import lending
from podmates_redis.session.answering import finish_errand
from podmates_redis.session.shared import Policy
from podmates_redis.session.state import State
from podmates_redis.wire.requests import Requests
from tests.unit.redis.rig import OK, Rig, prove, shared

V = b"$1\r\nv\r\n"


def test_own_login_is_not_the_clients_business() -> None:
    rig = Rig()
    rig.send("AUTH x\nAUTH default x\nAUTH bob x\nHELLO 3 AUTH bob x\nHELLO 3 AUTH default x")

    assert [line[:6] for line in rig.told().split(b"\r\n")] == [b"-ERR A", b"+OK", b"-WRONG", b"-WRONG", b""]
    assert b"AUTH" not in rig.session.master.out[0]


def test_the_clients_own_login_is_passed_on_and_done_again_elsewhere() -> None:
    rig = Rig(shared(policy=Policy(passthrough=True)))
    rig.send("PING\nAUTH bob secret")
    rig.master(b"+PONG\r\n")
    rig.master(OK)
    rig.asked()
    rig.send("GET k")

    assert rig.asked_replica() == [b"AUTH", b"GET"]
    assert "secret" not in repr(rig.session.state)


def test_a_login_is_sent_when_no_reply_is_missing() -> None:
    """Redis 8.0 and Valkey 8.1 leave a refused one unanswered behind another command."""
    rig = Rig(shared(policy=Policy(passthrough=True)))
    for login in ("AUTH bob secret", "AUTH secret", "HELLO 3 AUTH bob secret"):
        rig.send(f"INCR k\n{login}\nINCR k")
        assert rig.asked() == [b"INCR"]

        rig.master(b":1\r\n")
        assert rig.asked() == [login.split()[0].encode(), b"INCR"]
        rig.master(b"-WRONGPASS x\r\n:2\r\n")


def test_a_client_is_shown_as_it_was_before_what_it_sent_behind_the_question() -> None:
    """Whose users the master knows, it is asked first; what is behind must not run meanwhile."""
    rig = Rig(shared(policy=Policy(passthrough=True)))
    rig.send("CLIENT INFO\nMULTI\nPING")
    assert rig.asked() == [b"CLIENT"]

    rig.master(b"$3\r\nid=\r\n")
    told = rig.told()
    assert (b" multi=-1 " in told, b" cmd=client|info " in told) == (True, True)
    assert rig.asked() == [b"MULTI", b"PING"]


@pytest.mark.parametrize(
    "command", ["CONFIG RESETSTAT", "SLOWLOG RESET", "LATENCY RESET", "DEBUG SET-ACTIVE-EXPIRE 0"]
)
def test_who_looks_at_what_the_master_counts_reads_there_until_it_is_reset(command: str) -> None:
    rig = Rig(shared(policy=Policy(administrative=True)))
    rig.send(command)
    rig.master(OK)
    prove(rig.shared)
    rig.send("GET k")
    assert rig.session.slots[0].why == "policy"
    assert not lending.plain(rig.session)

    rig.master(V)
    rig.send("RESET\nGET k")
    rig.connect()
    assert rig.asked_replica() == [b"GET"]


def test_what_stands_behind_a_kill_goes_on_when_the_replicas_were_told() -> None:
    notbusy = b"-NOTBUSY No scripts in execution right now.\r\n"
    rig = Rig()
    rig.send("SCRIPT KILL\nFUNCTION KILL\nCLIENT GETNAME\nSCRIPT KILL\nRESET")
    for done in (True, False, True):
        rig.master(notbusy)
        finish_errand(rig.session, done)

    assert rig.told() == OK + notbusy + b"$-1\r\n" + OK + b"+RESET\r\n"


def test_dangerous_commands_are_refused_and_spoil_their_transaction() -> None:
    rig = Rig()
    rig.send("SHUTDOWN\nMULTI\nCONFIG SET a b\nEXEC")
    assert rig.asked() == [b"MULTI", b"PODMATES.REFUSED", b"EXEC"]

    rig.master(OK + b"-ERR unknown command\r\n" + b"-EXECABORT x\r\n")
    lines = rig.told().split(b"\r\n")
    assert lines[0] == b"-NOPERM this user has no permissions to run the 'shutdown' command"
    assert lines[2] == b"-NOPERM this user has no permissions to run the 'config|set' command"
    assert rig.shared.tally.commands[("shutdown", "denied", "error")] == 1


def test_dangerous_commands_pass_where_that_is_allowed() -> None:
    rig = Rig(shared(policy=Policy(administrative=True)))
    rig.send("CONFIG SET a b")

    assert rig.asked() == [b"CONFIG"]


def test_what_was_not_meant_to_be_answered_is_not() -> None:
    rig = Rig()
    rig.send("CLIENT REPLY OFF\nSET a 1\nCLIENT REPLY ON\nCLIENT REPLY SKIP\nPING\nECHO end")
    rig.master(OK)

    assert rig.told() == OK + b"$3\r\nend\r\n"


def test_quit_ends_after_what_is_on_its_way() -> None:
    rig = Rig()
    rig.send("SET a 1\nQUIT\nSET b 1")
    assert not rig.session.closing

    rig.master(OK)
    assert rig.told() == OK + OK
    assert rig.session.closing
    assert rig.asked() == [b"SET"]


def test_reset_behind_local_answers_is_not_forgotten() -> None:
    rig = Rig()
    rig.send("PING\nRESET\nECHO end")

    assert rig.told() == b"+PONG\r\n+RESET\r\n$3\r\nend\r\n"
    assert rig.session.master.drop and rig.session.replica.drop


def test_a_reset_leaves_a_connection_by_which_others_know_it() -> None:
    """The server forgets the ambassador's own login too, so that comes again behind it."""
    facts = shared()
    facts.login = lambda: (b"pod", b"secret")
    rig = Rig(facts)
    rig.session.observed = rig.session.pinned = True
    rig.session.state = rig.session.master.state = State(database=3, name=b"me")
    rig.send("RESET\nINCR k")
    assert rig.asked() == [b"RESET", b"AUTH"]

    rig.master(b"+RESET\r\n+OK\r\n")
    assert rig.told() == b"+RESET\r\n"
    assert rig.asked() == [b"INCR"]
    assert rig.session.state == rig.session.master.state == State()
    assert not rig.session.master.drop


def test_who_only_listens_may_not_change_what_is_ours() -> None:
    rig = Rig()
    rig.send("SUBSCRIBE x\nCLIENT REPLY OFF\nAUTH default x\nHELLO 3 AUTH default x")
    assert rig.asked() == [b"SUBSCRIBE"]
    rig.master(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n")
    assert rig.asked() == [b"CLIENT", b"AUTH", b"HELLO"]
    rig.told()
    rig.master(b"-ERR no\r\n" * 3)
    assert rig.told() == b"-ERR no\r\n" * 3
    assert rig.session.state == State()


def test_a_broken_stream_is_answered_in_turn_and_closed() -> None:
    rig = Rig()
    rig.send(b"SET a 1\r\n*x\r\n")
    rig.master(OK)

    assert rig.told() == OK + b"-ERR Protocol error: invalid multibulk length\r\n"
    assert rig.session.closing


def test_a_browser_gets_no_answer() -> None:
    rig = Rig()
    rig.send("POST / HTTP/1.1\nHost: x\nPING")

    assert (rig.told(), rig.session.closing) == (b"", True)


_HARMLESS = (
    b"CLIENT LIST NOT-IN-MULTI",
    b"CLIENT KILL ADDR -:0",
    b"CLIENT KILL ADDR -:0 TYPE normal",
    b"CLIENT PAUSE not-here",
    b"CLIENT ID",
    b"CLIENT UNBLOCK 0",
    b"CLIENT TRACKING on REDIRECT 9223372036854775807",
    b"HELLO 3 SETNAME x",
)


def test_what_is_about_our_clients_never_reaches_the_master_in_a_transaction() -> None:
    for line in (
        "CLIENT KILL 1.1.1.1:1",
        "CLIENT KILL TYPE normal",
        "CLIENT PAUSE 100000",
        "CLIENT UNPAUSE",
        "CLIENT UNBLOCK 1",
        "CLIENT TRACKING on REDIRECT 99",
        "AUTH default secret",
        "HELLO 3 SETNAME x AUTH default secret",
    ):
        rig = Rig()
        rig.send(f"MULTI\n{line}\nCLIENT ID")
        sent = Requests().feed(b"".join(rig.session.master.out))

        assert b" ".join(sent[1].args) in _HARMLESS
        assert sent[2].args == [b"CLIENT", b"ID"]
