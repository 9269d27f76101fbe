"""WAIT: replicas that have what its client has written, by whatever connection that went."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.redis_servers import Server
from tests.support.redis_versions import VERSIONS, Bench, bench
from tests.support.resp import RawClient
from tests.support.shared_path import SHARED, compiled
from tests.support.waiting import until


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request.param)


def test_wait_counts_only_replicas_that_have_what_its_client_has_done(version: Bench) -> None:
    """One that has done nothing hears what a server tells a client after a PING: that differs by version."""
    pair, port = version.pair, version.ambassador.port
    with RawClient(port) as writer, RawClient(port) as waiter, RawClient(pair.master.port) as direct:
        with pair.replica.stalled():
            assert writer.call("SET", "waited", 1) == b"+OK\r\n"
            direct.call("PING")
            assert waiter.call("WAIT", 1, 200) == direct.call("WAIT", 1, 200)
            writer.pipeline([("SET", "waited", 2), ("WAIT", 1, 200), ("GET", "waited")])
            assert writer.read_many(3) == [b"+OK\r\n", b":0\r\n", b"$1\r\n2\r\n"]
            writer.pipeline([("WAIT", 1, 0), ("PING",)])  # for ever
            until(lambda: pair.master.info("clients")["blocked_clients"] == 1, what="the wait")
        assert writer.read_many(2) == [b":1\r\n", b"+PONG\r\n"]
        for command in ("WAIT", 1, -1), ("WAIT", "x", 0), ("WAITAOF", 0, 0, 0):
            assert waiter.call(*command) == direct.call(*command)
        waiter.pipeline([("MULTI",), ("SET", "waited", 3), ("WAIT", 5, 0), ("EXEC",)])
        assert waiter.read_many(4)[3].startswith(b"*2\r\n+OK\r\n:")


def test_what_a_client_wrote_by_another_connection_counts(version: Bench) -> None:
    """Where a server itself asks only what this very connection has written, it would promise too much."""
    pair = version.pair
    with RawClient(version.ambassador.port) as writer:
        with pair.replica.stalled():
            assert writer.call("SET", "waited", 1) == b"+OK\r\n"
            pair.master.client().client_kill_filter(_type="normal", skipme=True)
            assert writer.call("INFO", "server").startswith(b"$")  # asked again by the next connection
            assert writer.call("WAIT", 1, 200) == b":0\r\n"
        assert writer.call("WAIT", 1, 0) == b":1\r\n"


def test_what_a_client_wrote_over_a_connection_that_others_share_counts(version: Bench) -> None:
    pair = version.pair
    with RawClient(version.ambassador.port) as writer:
        for value in range(5):
            assert writer.call("SET", "waited", value) == b"+OK\r\n"
        with pair.replica.stalled():
            for value in range(5):
                assert writer.call("SET", "waited", value) == b"+OK\r\n"
            assert writer.call("WAIT", 1, 200) == b":0\r\n"
        assert writer.call("WAIT", 1, 0) == b":1\r\n"


def test_what_a_client_wrote_on_the_shared_path_counts(version: Bench) -> None:
    compiled()
    pair = version.pair
    with (
        Ambassador("--servers", pair.addresses, env=SHARED) as ambassador,
        RawClient(ambassador.port) as writer,
    ):
        writer.call("SET", "shared", 1)
        first = writers(pair.master)
        until(
            lambda: writer.call("SET", "shared", 2) and writers(pair.master) - first, what="the shared path"
        )
        with pair.replica.stalled():
            assert writer.call("SET", "shared", 3) == b"+OK\r\n"
            assert writer.call("WAIT", 1, 200) == b":0\r\n"
        assert writer.call("WAIT", 1, 0) == b":1\r\n"


def test_who_has_only_read_on_the_shared_path_hears_what_the_server_says(version: Bench) -> None:
    """It has nothing that a replica could lack, whatever others have written."""
    compiled()
    pair = version.pair
    with (
        Ambassador("--servers", pair.addresses, env=SHARED) as ambassador,
        RawClient(ambassador.port) as waiter,
        RawClient(pair.master.port) as direct,
    ):
        for _ in range(20):
            assert waiter.call("STRLEN", "nothing") == b":0\r\n"
        with pair.replica.stalled():
            pair.master.client().set("waited", 1)
            direct.call("PING")
            assert waiter.call("WAIT", 1, 200) == direct.call("WAIT", 1, 200)


def writers(server: Server) -> set[str]:
    """Return where those connections come from whose last command was SET."""
    return {client["addr"] for client in server.client().client_list() if client["cmd"] == "set"}
