"""An operator's word on single commands stands above what their server says."""

from __future__ import annotations

import pytest

from podmates_redis.commands.overrides import Overrides, route
from podmates_redis.commands.table import Kind, Table, builtin, learnt
from podmates_redis.session.shared import Policy
from tests.unit.redis.rig import Rig, shared

MODULE = [
    [b"mod.get", 2, [b"readonly", b"module"], 1, 1, 1],
    [b"mod.all", 1, [b"readonly", b"module"], 0, 0, 0],
    [b"mod.set", 3, [b"write", b"module"], 1, 1, 1],
    [b"vlinks", 2, [b"readonly", b"module"], 1, 1, 1],
]


def rig(overrides: Overrides, table: Table | None = None) -> Rig:
    facts = shared(policy=Policy(overrides=overrides, administrative=True))
    facts.table = overrides.applied(table or builtin())
    return Rig(facts)


def went(subject: Rig, line: str) -> str:
    """Return who was sent *line*; it is not answered."""
    subject.send(line)
    return "master" if subject.asked() else "replica" if subject.asked_replica() else "nobody"


@pytest.mark.parametrize(
    ("routes", "line", "where"),
    [
        ("get=master", "GET k", "master"),
        ("get=master", "STRLEN k", "replica"),
        ("object|freq=replica", "OBJECT FREQ k", "replica"),
        ("object|freq=replica", "OBJECT ENCODING k", "master"),
        ("object=replica", "OBJECT ENCODING k", "replica"),
        ("info=replica", "INFO", "replica"),
        ("set=replica", "SET k v", "master"),
        ("keys=deny", "KEYS *", "nobody"),
        ("config=deny", "CONFIG GET x", "nobody"),
        ("set=deny", "SET k v", "nobody"),
    ],
)
def test_a_command_goes_where_it_is_told(routes: str, line: str, where: str) -> None:
    name, _, to = routes.partition("=")
    assert went(rig(Overrides(routes={name: to})), line) == where


def test_what_is_denied_is_refused_as_by_an_acl_and_spoils_its_transaction() -> None:
    subject = rig(Overrides(routes={"keys": "deny"}))
    subject.send("KEYS *\nMULTI\nKEYS *\nEXEC")

    told = b"-NOPERM this user has no permissions to run the 'keys' command\r\n"
    assert subject.told() == told
    assert subject.asked() == [b"MULTI", b"PODMATES.REFUSED", b"EXEC"]


def test_what_names_no_key_waits_for_every_write() -> None:
    subject = rig(Overrides(routes={"info": "replica"}))
    subject.send("SET k v")
    subject.master(b"+OK\r\n")
    subject.asked()

    assert went(subject, "INFO") == "master"


def test_times_to_live_may_be_the_masters_to_tell() -> None:
    for line in ("TTL k", "PEXPIRETIME k", "HPTTL h FIELDS 1 f"):
        assert went(rig(Overrides()), line) == "replica"
        assert went(rig(Overrides(ttl_master=True)), line) == "master"


def test_reads_of_modules_are_split_when_that_is_wanted() -> None:
    table = learnt(MODULE)

    assert went(rig(Overrides(), table), "mod.get k") == "master"
    split = Overrides(module_reads=True)
    assert went(rig(split, table), "mod.get k") == "replica"
    assert went(rig(split, table), "mod.all") == "master"
    assert went(rig(split, table), "mod.set k v") == "master"
    assert went(rig(split, table), "vlinks k") == "master"


def test_a_route_is_checked_when_it_is_set() -> None:
    assert route("OBJECT|FREQ=replica") == ("object|freq", "replica")
    assert route("my.read=replica") == ("my.read", "replica")
    for wrong in ("get", "=deny", "get=", "get=local", "set=replica", "watch=replica", "select=replica"):
        with pytest.raises(ValueError, match=r"want COMMAND|cannot be served"):
            route(wrong)


def test_what_is_not_overridden_is_unchanged() -> None:
    assert list(Overrides().applied(builtin())) == list(builtin())
    assert builtin().find([b"GET", b"k"]).kind is Kind.READ
