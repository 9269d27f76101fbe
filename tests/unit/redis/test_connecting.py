"""Commands about the connection itself: login, what is refused, silence, and the end."""

from __future__ import annotations

from podmates_redis.shared import Policy
from tests.unit.redis.rig import OK, Rig, shared

V = b"$1\r\nv\r\n"


def test_own_login_is_not_the_clients_business() -> None:
    rig = Rig()
    rig.send("AUTH x\nAUTH default x\nAUTH bob x\nHELLO 3 AUTH bob x\nHELLO 3 AUTH default x")

    assert [line[:6] for line in rig.told().split(b"\r\n")] == [b"-ERR A", b"+OK", b"-WRONG", b"-WRONG", b""]
    assert b"AUTH" not in rig.session.master.out[0]


def test_the_clients_own_login_is_passed_on_and_done_again_elsewhere() -> None:
    rig = Rig(shared(policy=Policy(passthrough=True)))
    rig.send("PING\nAUTH bob secret")
    rig.master(b"+PONG\r\n" + OK)
    rig.asked()
    rig.send("GET k")

    assert rig.asked_replica() == [b"AUTH", b"GET"]
    assert "secret" not in repr(rig.session.state)


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
