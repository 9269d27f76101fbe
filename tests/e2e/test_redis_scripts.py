"""Scripts through the ambassador: one server's worth of them, though each server has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask, prepare
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, request
from tests.support.waiting import until

READ = "return redis.call('get', KEYS[1])"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(options=("--busy-reply-threshold", "200")) as pair:
        yield pair


@pytest.fixture
def ambassador(pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    for server in pair.servers:
        server.client().script_flush()
    flags = (
        "--op-timeout",
        "60s",
        *getattr(request, "param", ()),
    )  # scripts without an end are ended by hand
    with Ambassador("--servers", pair.addresses, *flags) as ambassador:
        prepare(pair, ambassador, "SET k v")
        yield ambassador


def at_the_replica(pair: Pair, client: RawClient, *words: str | int) -> None:
    """Call until the replica answers; each reply is the value."""
    command = str(words[0]).lower()

    def done() -> bool:
        assert client.call(*words) == b"$1\r\nv\r\n"
        return pair.replica.calls(command) > before

    before = pair.replica.calls(command)
    until(done, what=f"{command} at the replica")


def test_a_replica_runs_a_script_that_was_loaded_at_the_master(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        digest = client.call("SCRIPT", "LOAD", READ).split()[1].decode()
        at_the_replica(pair, client, "EVALSHA_RO", digest, 1, "k")
        assert client.call("SCRIPT", "EXISTS", digest) == b"*1\r\n:1\r\n"
        assert client.call("SCRIPT", "FLUSH") == b"+OK\r\n"
        assert client.call("EVALSHA_RO", digest, 1, "k").startswith(b"-NOSCRIPT")
        assert client.call("SCRIPT", "EXISTS", digest) == b"*1\r\n:0\r\n"
    assert ask(pair.replica.port, "SCRIPT", "EXISTS", digest) == b"*1\r\n:1\r\n"  # where it does no harm


def test_a_script_that_asks_for_its_server_is_told_of_the_one_where_it_runs(
    pair: Pair, ambassador: Ambassador
) -> None:
    asking = "return redis.call('info', 'replication')"
    with RawClient(ambassador.port) as client:
        until(lambda: b"\nrole:slave\r" in client.call("EVAL_RO", asking, 0), what="the replica to run it")
        assert b"\nrole:master\r" in client.call("EVAL", asking, 0)


def test_a_replica_that_forgets_is_told_again_under_load(pair: Pair, ambassador: Ambassador) -> None:
    """A replica that is restarted, or flushed by somebody, costs no client an answer."""
    with RawClient(ambassador.port) as client:
        digest = client.call("SCRIPT", "LOAD", READ).split()[1].decode()
        at_the_replica(pair, client, "EVALSHA_RO", digest, 1, "k")
        for _ in range(20):
            pair.replica.client().script_flush()
            client.pipeline([("EVALSHA_RO", digest, 1, "k"), ("GET", "k")] * 20)
            assert client.read_many(40) == [b"$1\r\nv\r\n"] * 40


@pytest.mark.parametrize("ambassador", [("--eval-no-writes", "replica")], indirect=True)
def test_a_script_that_says_it_writes_nothing_runs_at_the_replica(pair: Pair, ambassador: Ambassador) -> None:
    body = "#!lua flags=no-writes\n" + READ
    with RawClient(ambassador.port) as client:
        at_the_replica(pair, client, "EVAL", body, 1, "k")
        digest = client.call("SCRIPT", "LOAD", body).split()[1].decode()
        at_the_replica(pair, client, "EVALSHA", digest, 1, "k")
        assert client.call("EVAL", "#!lua flags=no-writes\nreturn redis.call('set','k','w')", 0).startswith(
            b"-ERR Write commands are not allowed from read-only scripts"
        )


@pytest.mark.parametrize("ambassador", [("--script-cache", "on")], indirect=True)
def test_a_script_that_the_master_has_lost_is_loaded_again(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        digest = client.call("SCRIPT", "LOAD", READ).split()[1].decode()
        pair.master.client().script_flush()
        assert client.call("EVALSHA", digest, 1, "k") == b"$1\r\nv\r\n"
        assert client.call("EVALSHA", "f" * 40, 1, "k").startswith(b"-NOSCRIPT")


def test_scripts_are_answered_as_by_one_server(pair: Pair, ambassador: Ambassador) -> None:
    """Whether master or replica runs it: the words of a plain server, for each kind of fault."""
    commands: list[tuple[str | int, ...]] = [
        ("EVAL", "return 1", 0),
        ("EVAL", "return", -1),
        ("EVAL", "no lua", 0),
        ("EVAL_RO", "return redis.call('get', KEYS[1])", 1, "k"),
        ("EVAL_RO", "return redis.call('set', KEYS[1], 'w')", 1, "k"),
        ("EVAL_RO", "#!lua\nreturn redis.call('get', KEYS[1])", 1, "k"),
        ("EVAL_RO", "#!lua flags=no-writes\nreturn redis.call('get', KEYS[1])", 1, "k"),
        ("EVAL_RO", "return redis.call('get', 'k', 'too many')", 0),
        ("EVALSHA_RO", "nonsense", 0),
        ("EVALSHA", "nonsense", 0),
        ("EVALSHA_RO",),
        ("SCRIPT", "LOAD"),
        ("SCRIPT", "LOAD", "no lua"),
        ("SCRIPT", "FLUSH", "SOON"),
        ("SCRIPT", "KILL"),
        ("FUNCTION", "KILL"),
        ("FUNCTION", "LOAD", _LIBRARY),
        ("FCALL_RO", "reader", 1, "k"),
        ("FCALL_RO", "writer", 1, "k"),
        ("FCALL", "writer", 1, "k"),
        ("FCALL_RO", "missing", 0),
        ("FUNCTION", "DELETE", "lib"),
    ]
    with RawClient(ambassador.port) as through, RawClient(pair.master.port) as direct:
        for command in commands * 2:
            pair.settle()
            told = through.call(*command)
            if command[:2] == ("FUNCTION", "LOAD"):
                direct.call("FUNCTION", "DELETE", "lib")
            elif command[:2] == ("FUNCTION", "DELETE"):
                direct.call("FUNCTION", "LOAD", _LIBRARY)
            assert told == direct.call(*command), command


_LIBRARY = """#!lua name=lib
redis.register_function{function_name='reader', callback=function(keys) return redis.call('get', keys[1]) end,
                        flags={'no-writes'}}
redis.register_function('writer', function(keys) return redis.call('set', keys[1], 'v') end)
"""


FOREVER = "while true do end"
KILLED = b"-ERR Script killed by user with SCRIPT KILL"


def test_a_script_without_an_end_is_ended_from_a_new_connection(pair: Pair, ambassador: Ambassador) -> None:
    """A server that runs one answers nothing but BUSY, also to the ambassador's greeting."""
    with RawClient(ambassador.port) as looping:
        looping.send(request("EVAL", FOREVER, 0))
        until(lambda: ask(pair.master.port, "PING").startswith(b"-BUSY"), what="the loop")
        with RawClient(ambassador.port) as client:
            assert client.call("SET", "a", 1).startswith(b"-BUSY")
            assert client.call("SCRIPT", "KILL") == b"+OK\r\n"
            assert looping.read().startswith(KILLED)
            assert client.call("SET", "a", 1) == b"+OK\r\n"


def test_a_master_that_is_busy_from_the_start_is_found_and_speaks_for_itself(pair: Pair) -> None:
    pair.master.client().set("k", "v")
    with RawClient(pair.master.port) as looping:
        looping.send(request("EVAL", FOREVER, 0))
        until(lambda: ask(pair.master.port, "PING").startswith(b"-BUSY"), what="the loop")
        with Ambassador("--servers", pair.addresses) as ambassador, RawClient(ambassador.port) as client:
            assert client.call("SET", "a", 1).startswith(b"-BUSY")
            ambassador.wait_readyz()
            assert client.call("SCRIPT", "KILL") == b"+OK\r\n"
            assert looping.read().startswith(KILLED)
            assert client.call("SET", "a", 1) == b"+OK\r\n"
            prepare(pair, ambassador, "SET k v")


def test_a_script_without_an_end_at_a_replica_is_ended_there(pair: Pair, ambassador: Ambassador) -> None:
    """Meanwhile the others are served by the master, where the script is not let loose as well."""
    with RawClient(ambassador.port) as looping, RawClient(ambassador.port) as client:
        looping.send(request("EVAL_RO", FOREVER, 0))
        until(lambda: ask(pair.replica.port, "PING").startswith(b"-BUSY"), what="the loop")

        def masters() -> bool:
            assert client.call("GET", "k") == b"$1\r\nv\r\n"
            return ambassador.reads().get(("master", "no_replica"), 0) > before + 5

        before = ambassador.reads().get(("master", "no_replica"), 0)
        until(masters, what="the master to take the reads")
        assert client.call("SET", "a", 1) == b"+OK\r\n"
        assert client.call("SCRIPT", "KILL") == b"+OK\r\n"
        assert looping.read().startswith(KILLED)
        assert client.call("SCRIPT", "KILL").startswith(b"-NOTBUSY")
