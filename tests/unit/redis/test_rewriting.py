"""A read in a write's coat is said as a read to a replica when that is wanted, and to nobody else."""

from __future__ import annotations

import pytest

from podmates_redis.commands.overrides import Overrides
from podmates_redis.commands.plans import plan
from podmates_redis.commands.rewriting import rewritten
from podmates_redis.commands.table import Kind, Table, builtin, learnt
from podmates_redis.session import pausing
from podmates_redis.session.scripts import Scripts
from podmates_redis.session.shared import Policy
from podmates_redis.session.slots import Slot
from podmates_redis.wire.requests import Request, encode
from tests.unit.redis.rig import OK, QUEUED, Rig, shared

READS = {
    "SORT l": "sort_ro l",
    "sort l BY w* GET # LIMIT 0 5 ALPHA": "sort_ro l BY w* GET # LIMIT 0 5 ALPHA",
    "GEORADIUS g 1 1 9 km ASC": "georadius_ro g 1 1 9 km ASC",
    "GEORADIUSBYMEMBER g m 9 km": "georadiusbymember_ro g m 9 km",
    "BITFIELD b GET u8 0 get i4 #1": "bitfield_ro b GET u8 0 get i4 #1",
    "GETEX s": "get s",
}
OTHERS = (
    "SORT l STORE d|SORT l ALPHA store d|SORT|GEORADIUS g 1 1 9 km STORE d|GEORADIUS g 1 1 9 km storedist d"
    "|GEORADIUS g 1 1|GEORADIUSBYMEMBER g m 9 km STORE d|BITFIELD b|BITFIELD b GET u8 0 SET u8 0 1"
    "|BITFIELD b OVERFLOW FAIL|BITFIELD b INCRBY u8 0 1|GETEX s EX 10|GETEX s PERSIST|GETEX|SET k v|GET k"
)


def treated(table: Table, line: str) -> tuple[Kind, list[bytes] | None, bytes]:
    """Return what *line* is, its keys, and what a replica is sent."""
    words = line.encode().split()
    planned, reading = rewritten(table, words, plan(table, words))
    return planned.command.kind, planned.keys, reading


@pytest.mark.parametrize(("line", "wanted"), READS.items(), ids=READS.keys())
def test_what_only_reads_is_said_so(line: str, wanted: str) -> None:
    kind, keys, reading = treated(builtin(), line)

    assert (kind, reading) == (Kind.READ, encode(*wanted.encode().split()))
    assert keys == plan(builtin(), wanted.encode().split()).keys


@pytest.mark.parametrize("line", OTHERS.split("|"))
def test_the_rest_is_left_alone(line: str) -> None:
    words = line.encode().split()
    planned = plan(builtin(), words)

    assert rewritten(builtin(), words, planned) == (planned, b"")


def test_a_master_that_lacks_the_read_is_asked_as_before() -> None:
    old = learnt([[b"sort", -2, [b"write", b"movablekeys"], 1, 1, 1]])

    assert treated(old, "SORT l")[2] == b""


def test_the_operators_word_on_a_command_stands_above() -> None:
    table = Overrides({"sort": "master", "get": "master"}).applied(builtin())

    assert treated(table, "SORT l")[2] == b""
    words = [b"GETEX", b"s"]
    assert rewritten(table, words, plan(table, words))[0].command.why_master == "policy"


def wanting() -> Rig:
    return Rig(shared(policy=Policy(rewrite_ro=True)))


@pytest.mark.parametrize("rewrite", [True, False])
def test_it_goes_to_a_replica_when_that_is_wanted(rewrite: bool) -> None:
    rig = Rig(shared(policy=Policy(rewrite_ro=rewrite)))
    rig.send("SORT l")

    assert (rig.asked(), rig.asked_replica()) == (([], [b"SORT_RO"]) if rewrite else ([b"SORT"], []))


def test_one_that_waited_for_its_connection_is_said_so_too() -> None:
    rig = Rig(shared(policy=Policy(rewrite_ro=True)), up=False)
    rig.send("GETEX s")
    rig.connect()

    assert (rig.asked(), rig.asked_replica()) == ([], [b"GET"])


def test_the_master_hears_what_the_client_has_said() -> None:
    """Its errors name the command, and so do its slow log and its ACL."""
    rig = wanting()
    rig.send("SORT l BY w")
    rig.asked_replica()
    rig.replica(b"-ERR whatever\r\n")
    assert rig.asked() == [b"SORT"]
    rig.master(b"-ERR whatever\r\n")

    rig.send("MULTI\nGETEX s\nSUBSCRIBE c")
    assert rig.asked() == [b"MULTI", b"GETEX", b"SUBSCRIBE"]
    rig.master(OK + QUEUED + QUEUED)
    rig.send("DISCARD")
    rig.asked()
    rig.master(OK)

    rig.send("SET s v\nGETEX s")
    assert rig.asked() == [b"SET", b"GETEX"]
    assert rig.asked_replica() == []


def test_a_pause_of_writes_holds_it_as_a_server_does() -> None:
    slot = Slot(Request([b"SORT", b"l"], b""), plan(builtin(), [b"SORT", b"l"]))
    slot.replan(*rewritten(builtin(), slot.args, slot.plan))

    assert pausing.writes(slot, Scripts())
