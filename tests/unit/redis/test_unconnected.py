"""A client without a connection to the master is told here what the master would say, where that is known."""

from __future__ import annotations

import pytest

from podmates_redis.session.shared import Policy
from podmates_redis.session.state import State
from podmates_redis.session.unconnected import greeting
from tests.unit.redis.rig import OK, Rig, shared

GREETING = [b"server", b"redis", b"version", b"7.0.15", b"proto", 2, b"id", 5, b"mode", b"cluster"]
GREETING += [b"role", b"replica", b"modules", []]


def fresh(**policy: object) -> Rig:
    facts = shared(policy=Policy(**policy))  # type: ignore[arg-type]
    facts.greeting, facts.master_databases = GREETING, 16
    return Rig(facts, up=False)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("SELECT 15", State(database=15)),
        ("CLIENT SETNAME me", State(name=b"me")),
        ("CLIENT SETINFO LIB-NAME x", State(library=((b"lib-name", b"x"),))),
        ("HELLO 3 SETNAME me", State(protocol=3, name=b"me")),
        ("HELLO 3 AUTH default x SETNAME me", State(protocol=3, name=b"me")),
    ],
)
def test_what_the_master_would_do_is_done(line: str, wanted: State) -> None:
    rig = fresh()
    rig.send(line)

    assert rig.told()[:1] in (b"+", b"%")
    assert rig.session.state == wanted
    assert rig.session.databases == {wanted.database}
    assert not rig.session.wants_master()


@pytest.mark.parametrize(
    "line",
    [
        "SELECT 16",
        "SELECT -1",
        "SELECT 01",
        "SELECT x",
        "CLIENT SETNAME a\x01",
        "CLIENT SETINFO LIB-COLOUR red",
        "CLIENT SETINFO LIB-NAME a\x7f",
        "HELLO 4",
        "HELLO 3 SETNAME a\x01",
        "HELLO 3 FOO",
        "HELLO 3 AUTH default x FOO",
    ],
)
def test_what_it_would_refuse_is_its_own_to_say(line: str) -> None:
    rig = fresh()
    rig.send(line)

    assert rig.told() == b""
    assert rig.session.wants_master()
    assert rig.session.state == State()


def test_it_is_asked_while_there_is_a_connection_or_it_has_not_said_how_it_does_things() -> None:
    connected, early, strange = fresh(), fresh(), fresh(passthrough=True)
    connected.connect()
    early.shared.learnt = False
    behind = fresh()
    behind.send("SET k v")
    for rig in (connected, early, strange, behind):
        rig.send("SELECT 1")
        assert rig.told() == b""
        assert rig.session.unsettled == 1


def test_one_that_hides_what_it_has_answers_for_itself() -> None:
    rig = fresh()
    rig.shared.greeting, rig.shared.master_databases = (), 0
    rig.send("HELLO 3\nSELECT 1")

    assert rig.told() == b""


def test_the_next_connection_begins_in_that_state() -> None:
    rig = fresh()
    rig.send("SELECT 3\nHELLO 3\nGET k")
    assert rig.told().startswith(OK + b"%7\r\n$6\r\nserver\r\n")
    rig.connect()

    assert rig.session.replica.state == State(database=3, protocol=3)
    assert rig.asked_replica() == [b"GET"]


def test_a_greeting_is_that_of_one_plain_server() -> None:
    second = greeting(GREETING, 2, 77)

    assert second.startswith(b"*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n")
    assert b"$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:77\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n" in second
    assert second.endswith(b"$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n")
    assert greeting(GREETING, 3, 77) == second.replace(b"*14", b"%7").replace(b":2", b":3")
    modules = [b"modules", [[b"name", b"lua", b"args", [b"x"]]]]
    assert greeting(modules, 3, 1) == (
        b"%1\r\n$7\r\nmodules\r\n*1\r\n%2\r\n$4\r\nname\r\n$3\r\nlua\r\n$4\r\nargs\r\n*1\r\n$1\r\nx\r\n"
    )
    assert greeting((), 2, 1) == greeting([b"server"], 2, 1) == b""
    assert greeting([b"server", None], 2, 1) == b""
