"""Commands about a connection or a node mean what they mean on a plain server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask, serves_reads
from tests.support.redis_servers import HOST, Pair, Server
from tests.support.resp import RawClient, request
from tests.support.secured import SECURED, reached
from tests.support.shared_path import FORMS
from tests.support.waiting import until


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(forwarded=True) as pair:
        yield pair


@pytest.fixture(scope="module", params=[*FORMS, *SECURED])
def ambassador(pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    with Ambassador(*reached(pair, request.param), env=request.param) as ambassador:
        yield ambassador


@pytest.fixture
def clients(ambassador: Ambassador) -> Iterator[tuple[RawClient, RawClient]]:
    with RawClient(ambassador.port) as one, RawClient(ambassador.port) as other:
        one.call("FLUSHALL")
        yield one, other


def test_wait_counts_replicas_that_have_the_write(pair: Pair, clients: tuple[RawClient, RawClient]) -> None:
    """The server counts for the connection that wrote, so that is where WAIT has to go."""
    writer, _ = clients
    assert writer.call("SET", "k", "v") == b"+OK\r\n"
    assert writer.call("WAIT", 1, 30000) == b":1\r\n"
    pair.links[0].freeze()
    try:
        writer.call("SET", "k", "w")
        assert writer.call("WAIT", 1, 200) == b":0\r\n"
    finally:
        pair.links[0].thaw()


def test_a_blocked_client_is_unblocked_by_its_id(pair: Pair, clients: tuple[RawClient, RawClient]) -> None:
    one, other = clients
    name = other.call("CLIENT", "ID")[1:-2]
    for word, reply in (("ERROR", b"-UNBLOCKED"), ("TIMEOUT", b"*-1\r\n")):
        other.send(request("BLPOP", "none", 0))
        until(lambda: pair.master.info("clients")["blocked_clients"] == 1, what="the block")
        assert one.call("CLIENT", "UNBLOCK", name, word) == b":1\r\n"
        assert other.read().startswith(reply)


def test_a_clients_cache_is_told_of_changes(
    ambassador: Ambassador, clients: tuple[RawClient, RawClient]
) -> None:
    one, _ = clients
    with RawClient(ambassador.port, protocol=3) as caching:
        assert caching.call("CLIENT", "TRACKING", "ON") == b"+OK\r\n"
        assert caching.call("GET", "k") == b"_\r\n"
        one.call("SET", "k", "v")
        assert caching.read() == b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
        assert caching.call("GET", "k") == b"$1\r\nv\r\n"
        one.call("DEL", "k")
        assert b"invalidate" in caching.read()


def test_a_monitor_sees_reads_and_writes(
    ambassador: Ambassador, clients: tuple[RawClient, RawClient]
) -> None:
    one, _ = clients
    with RawClient(ambassador.port) as monitor:
        assert monitor.call("MONITOR") == b"+OK\r\n"
        one.call("SET", "seen", "v")
        one.call("GET", "seen")
        lines = [monitor.read()]
        while b'"GET" "seen"' not in lines[-1]:
            lines.append(monitor.read())
        assert any(b'"SET" "seen" "v"' in line for line in lines)


def test_a_cursor_finds_every_element(pair: Pair, ambassador: Ambassador) -> None:
    """Also when each step comes on another connection and replicas serve: cursors belong to one server."""
    with RawClient(ambassador.port) as client:
        client.pipeline([("SADD", "big", f"m{number}") for number in range(2000)])
        client.read_many(2000)
        pair.settle()
        serves_reads(pair, ambassador)
        client.pipeline([("SET", f"key{number}", 1) for number in range(500)])
        client.read_many(500)

        assert _scanned(ambassador, "SCAN") >= {b"big", *(b"key%d" % number for number in range(500))}
        assert _scanned(ambassador, "SSCAN", "big") == {b"m%d" % number for number in range(2000)}


def _scanned(ambassador: Ambassador, *command: str) -> set[bytes]:
    found: set[bytes] = set()
    cursor = b"0"
    while True:
        words = ask(ambassador.port, *command, cursor, "COUNT", 50).split(b"\r\n")
        cursor = words[2]
        found.update(word for word in words[4:] if word and word[:1] not in b"$*")
        if cursor == b"0":
            return found


def test_a_script_known_to_the_master_runs_where_it_is_not(pair: Pair, ambassador: Ambassador) -> None:
    """Scripts are not replicated; the client sees no NOSCRIPT of a replica."""
    with RawClient(ambassador.port) as client:
        client.call("SET", "k", "v")
        digest = client.call("SCRIPT", "LOAD", "return redis.call('get', KEYS[1])").split()[1]
        pair.settle()
        serves_reads(pair, ambassador)
        for _ in range(20):
            assert client.call("EVALSHA_RO", digest, 1, "k") == b"$1\r\nv\r\n"
        assert client.call("EVALSHA_RO", "f" * 40, 1, "k").startswith(b"-NOSCRIPT")


def test_an_expired_key_is_gone_everywhere(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        client.call("SET", "short", "v", "EX", 1000)
        assert client.call("GET", "short") == b"$1\r\nv\r\n"
        assert client.call("PEXPIRE", "short", 80) == b":1\r\n"
        until(lambda: client.call("GET", "short") == b"$-1\r\n", what="the end of the key")
        assert client.call("EXISTS", "short") == b":0\r\n"
        assert client.call("TTL", "short") == b":-2\r\n"


@pytest.mark.parametrize("reset", ["CONFIG RESETSTAT", "SLOWLOG RESET", "LATENCY RESET"])
def test_who_resets_what_the_master_counts_finds_its_own_reads_there(
    pair: Pair, ambassador: Ambassador, reset: str
) -> None:
    serves_reads(pair, ambassador)
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as other:
        client.call(*reset.split())
        before = pair.master.calls("get"), pair.replica.calls("get")
        client.pipeline([("GET", "none")] * 3)
        client.read_many(3)
        other.call("GET", "none")
        assert (pair.master.calls("get"), pair.replica.calls("get")) == (before[0] + 3, before[1] + 1)
        client.call("RESET")
        client.call("GET", "none")
        assert pair.replica.calls("get") == before[1] + 2


def test_no_command_runs_in_a_database_that_its_server_refused() -> None:
    """A replica with fewer databases refuses SELECT: what follows must not be read from another one."""
    with Server() as master, Server("--databases", "4") as replica:
        replica.follow(HOST, master.port)
        master.client().set("k", "zero")
        servers = f"{master.address},{replica.address}"
        with Ambassador("--servers", servers) as ambassador, RawClient(ambassador.port) as client:
            until(lambda: client.call("GET", "k") and replica.calls("get"), what="the replica to serve")
            assert client.call("SELECT", 10) == b"+OK\r\n"
            assert client.call("GET", "k") == b"$-1\r\n"
            client.pipeline([("SELECT", 0), ("GET", "k"), ("SELECT", 10), ("GET", "k")])
            assert client.read_many(4) == [b"+OK\r\n", b"$4\r\nzero\r\n", b"+OK\r\n", b"$-1\r\n"]
