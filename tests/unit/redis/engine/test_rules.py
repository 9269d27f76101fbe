"""The engine understands every request as `commands.plans` does, or leaves it to Python."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from podmates_redis.commands.plans import plan
from podmates_redis.commands.table import Kind, Table, builtin
from podmates_redis.engine import rules
from podmates_redis.wire.requests import encode
from tests.support.shared_path import play

if TYPE_CHECKING:
    from podmates_redis.engine._engine import Play

TABLE = builtin()
WORDS = (
    b"1 2 3 0 -1 x key store STORE storedist by GET get db nx XX BLOCK block streams STREAMS weights".split()
)


def requests(name: str, count: int) -> list[list[bytes]]:
    """Return *count* requests of one command with arguments drawn from those that matter."""
    chosen = random.Random(name)
    words = [part.encode() for part in name.split("|")]
    return [[*words, *chosen.choices(WORDS, k=chosen.randrange(9))] for _ in range(count)]


@pytest.fixture(scope="module")
def subject() -> Play:
    return play()


@pytest.mark.parametrize("letter", sorted({command.name[0] for command in TABLE}))
def test_keys_and_kinds_are_those_of_the_plans(subject: Play, letter: str) -> None:
    for name in sorted(command.name for command in TABLE if command.name[0] == letter):
        for args in requests(name, 100):
            compare(subject, args)


def compare(subject: Play, args: list[bytes]) -> None:
    wanted, found = plan(TABLE, args), subject.understand(encode(*args), 3)
    if found is None or found[0] == rules.HARD:
        return
    kind, places, acquires = found
    command = wanted.command
    if not command.accepts(len(args)):
        assert kind in (rules.PLAIN, rules.MULTI, rules.EXEC), args
        return
    assert kind == rules._KINDS[command.kind], args
    if kind in (rules.READ, rules.WRITE):
        unknown = wanted.keys is None or command.everything
        keys = None if unknown else [subject.slot(3, key) for key in wanted.keys or []]
        assert places == keys, args
        assert acquires == command.acquires, args


def test_what_is_common_is_not_left_to_python(subject: Play) -> None:
    common = "get set mget mset del exists incr expire ttl hget hset hgetall lpush lrange lpop sadd smembers"
    common += " zadd zrange xadd xrange publish type scan multi exec ping echo xread sort"
    for name in common.split():
        found = subject.understand(encode(name.encode(), b"a", b"b"))

        assert found is not None, name
        assert found[0] != rules.HARD, name


@pytest.mark.parametrize(
    "words",
    [
        *(
            "SELECT 1",
            "HELLO 3",
            "AUTH x",
            "RESET",
            "QUIT",
            "MONITOR",
            "SUBSCRIBE a",
            "PSUBSCRIBE a",
            "WATCH a",
        ),
        *("CLIENT ID", "CLIENT SETNAME x", "CLIENT REPLY OFF", "CLIENT TRACKING ON", "WAIT 0 0", "BLPOP a 0"),
        *("XREAD BLOCK 0 STREAMS a 0", "XREADGROUP GROUP g c BLOCK 1 STREAMS a >", "SCRIPT KILL", "DISCARD"),
        *(
            "CONFIG SET a b",
            "DEBUG SLEEP 1",
            "SHUTDOWN",
            "REPLICAOF a 1",
            "FUNCTION KILL",
            "OBJECT",
            "NOSUCH",
        ),
        *(
            "EVAL x 0",
            "FCALL x 0",
            "EVALSHA x 0",
            "INFO",
            "client id",
            "Client Id",
            "readonly",
            "BZMPOP 0 1 a MIN",
            "SYNC",
            "FAILOVER",
            "SCRIPT LOAD x",
        ),
    ],
)
def test_what_needs_a_connection_of_its_own_is_left_to_python(subject: Play, words: str) -> None:
    found = subject.understand(encode(*words.encode().split()))

    assert found is None or found[0] in (rules.HARD, rules.MULTI)


def test_a_command_of_a_module_is_left_to_python() -> None:
    row = ["ft.search", -2, ["readonly", "module"], 1, 1, 1]
    from podmates_redis.commands.table import learnt

    found = play(learnt([row])).understand(encode(b"FT.SEARCH", b"a"))

    assert found is not None
    assert found[0] == rules.HARD


def test_a_command_that_the_master_does_not_list_is_not_known_any_more() -> None:
    subject = play()
    subject.learn(rules.rows(Table([c for c in TABLE if c.name != "get"])))

    found = subject.understand(encode(b"GET", b"a"))

    assert found is not None
    assert found[0] == rules.HARD
    assert Kind.READ in rules._KINDS


def test_what_only_reads_in_a_writes_coat_is_left_to_python_where_that_looks() -> None:
    for rewrite in (False, True):
        kinds = {row.name: row.kind for row in rules.rows(builtin(), rewrite_ro=rewrite)}
        assert (kinds["sort"] == rules.HARD) is rewrite
        assert (kinds["getex"] == rules.HARD) is rewrite
        assert kinds["set"] == rules.WRITE
