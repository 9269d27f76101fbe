"""What is known of commands, from the table built in and from what servers of several ages say."""

from __future__ import annotations

import pytest

from podmates_redis.commands.plans import plan
from podmates_redis.commands.table import Kind, builtin, learnt
from podmates_redis.session.state import State, asked, change, opening
from podmates_redis.wire.requests import encode

KEYS = {
    "GET k": [b"k"],
    "MGET a b c": [b"a", b"b", b"c"],
    "MSET a 1 b 2": [b"a", b"b"],
    "BLPOP a b 0": [b"a", b"b"],
    "ZUNIONSTORE d 2 a b": [b"d", b"a", b"b"],
    "SINTERCARD 2 a b LIMIT 1": [b"a", b"b"],
    "LMPOP 1 a LEFT": [b"a"],
    "BLMPOP 0 1 a LEFT": [b"a"],
    "XREAD COUNT 1 STREAMS a b 0 0": [b"a", b"b"],
    "SORT l BY w_* STORE d": [b"l", b"d"],
    "SORT_RO l BY w_*": None,
    "GEORADIUS g 0 0 1 m STOREDIST d": [b"g", b"d"],
    "OBJECT ENCODING k": [b"k"],
    "EVAL s 1 k": None,
    "EVAL_RO s 1 k": None,
    "LMPOP x a LEFT": None,
    "FLUSHALL": None,
    "WAIT 0 0": [],
    "MSETEX 2 a 1 b 2 EX 9": [b"a", b"b"],
    "MSETEX x a 1": None,
    "STRALGO LCS KEYS a b": [b"a", b"b"],
    "STRALGO LCS STRINGS a b": None,
}
COUNTING = {"wait", "waitaof"}
EVERYTHING = (
    "FLUSHALL|SWAPDB 0 1|EVAL s 1 k|FCALL f 1 k|MOVE k 1|COPY a b DB 1"
    "|FOO|MODULE.CMD k|DEBUG x|FUNCTION FLUSH"
)


@pytest.mark.parametrize(("line", "keys"), KEYS.items(), ids=KEYS.keys())
def test_the_keys_of_a_command(line: str, keys: list[bytes] | None) -> None:
    assert plan(builtin(), line.encode().split()).keys == keys


@pytest.mark.parametrize("line", EVERYTHING.split("|"))
def test_a_write_that_does_not_name_its_keys_may_touch_any(line: str) -> None:
    command = plan(builtin(), line.encode().split()).command

    assert (command.kind, command.everything) == (Kind.WRITE, True)


@pytest.mark.parametrize(
    ("line", "acquires"),
    [
        ("SET k v", False),
        ("SET k v EX 10", False),
        ("SET k v nx", True),
        ("SET k v PX 10 XX", True),
        ("SET k v GET", True),
        ("SET nx v", False),
        ("INCR k", False),
        ("XREAD STREAMS s 0", False),
        ("XREAD BLOCK 0 STREAMS s 0", True),
        ("XREADGROUP GROUP g c STREAMS s >", True),
    ],
)
def test_which_replies_tell_of_others(line: str, acquires: bool) -> None:
    assert plan(builtin(), line.encode().split()).command.acquires is acquires


def test_a_name_is_found_in_any_case() -> None:
    assert {builtin().find([name]).name for name in (b"get", b"GET", b"gEt")} == {"get"}
    assert builtin().find([b"config", b"sEt"]).name == "config|set"


def test_a_command_that_the_master_lists_is_used_as_it_says() -> None:
    table = learnt(
        [[b"vget", 2, [b"readonly"], 1, 1, 1], [b"mod.read", 2, [b"readonly", b"module"], 1, 1, 1]]
    )

    assert table.find([b"VGET", b"k"]).kind is Kind.READ
    assert table.find([b"mod.read", b"k"]).why_master == "policy"
    assert table.find([b"GET", b"k"]).everything  # this master does not know it
    assert not table.lists(b"reset")


def test_servers_before_seven_say_nothing_of_subcommands() -> None:
    old = learnt([[b"config", -2, [b"admin"], 0, 0, 0], [b"client", -2, [b"admin"], 0, 0, 0]])
    new = learnt([[b"client", -2, [], 0, 0, 0, [], [], [], [[b"client|id", 2, [], 0, 0, 0]]]])

    assert old.find([b"CONFIG", b"SET", b"a", b"b"]).administrative
    assert old.find([b"CLIENT", b"REPLY", b"OFF"]).kind is Kind.REPLY
    assert old.find([b"CLIENT", b"NO-EVICT", b"ON"]).kind is Kind.PIN  # it came with 7.0
    assert new.find([b"CLIENT", b"SETINFO"]).kind is Kind.PIN  # the master will say that it knows none


@pytest.mark.parametrize("line", ["FUNCTION LIST", "COMMANDLOG GET 1 slow", "SCRIPT SHOW x", "PFSELFTEST"])
def test_what_touches_no_key_sends_no_read_to_the_master(line: str) -> None:
    assert builtin().find(line.encode().split()).kind is Kind.PLAIN


def test_what_servers_before_seven_do_outside_their_table() -> None:
    old = learnt([[name, -1, [], 0, 0, 0] for name in (b"post", b"host:", b"get")])

    assert old.find([b"QUIT"]).kind is Kind.QUIT
    assert {old.find([name]).kind for name in (b"POST", b"post", b"Host:")} == {Kind.FOREIGN}


def test_a_state_is_reached_from_any_other() -> None:
    """What brings a connection from one state to another makes, as a client's requests, that state."""
    states = [State(database=d, protocol=p, name=n) for d in (0, 3) for p in (2, 3) for n in (b"", b"worker")]
    for old in states:
        for new in states:
            reached = old
            for request in change(old, new):
                reached = asked(reached, request.split(b"\r\n")[2::2])

            assert reached == new


def test_a_connection_is_opened_in_one_go() -> None:
    state = State(database=3, protocol=3, name=b"n", user=b"u", password=b"p")

    assert opening(state) == [
        encode(b"HELLO", b"3", b"AUTH", b"u", b"p"),
        encode(b"CLIENT", b"SETNAME", b"n"),
        encode(b"SELECT", b"3"),
    ]
    assert opening(State(password=b"p")) == [encode(b"AUTH", b"p")]
    assert opening(State()) == []


def test_hello_may_change_several_things_at_once() -> None:
    words = b"HELLO 3 AUTH u p SETNAME n".split()

    assert asked(State(), words) == State(protocol=3, user=b"u", password=b"p", name=b"n")


def test_what_waits_for_servers_is_known_by_the_table_alone() -> None:
    assert {command.name for command in builtin() if command.counts} == COUNTING
    assert all(command.kind is Kind.BLOCKING for command in builtin() if command.counts)
