"""Clusters of other servers than Redis 7.0, and of its own: what may differ between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.test_redis_cluster_moves import moving
from tests.support.ambassador import Ambassador
from tests.support.redis_groups import Cluster
from tests.support.redis_servers import Server
from tests.support.redis_versions import VERSIONS, program
from tests.support.resp import Command, RawClient
from tests.support.waiting import until


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def plain(version: str) -> Iterator[Server]:
    with Server(program=program(version)) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(version: str) -> Iterator[Cluster]:
    with Cluster(program=program(version)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def ambassador(cluster: Cluster) -> Iterator[Ambassador]:
    with Ambassador("--cluster", cluster.addresses, "--admin-commands", "allow") as ambassador:
        ambassador.wait_readyz()
        yield ambassador


@pytest.fixture
def client(ambassador: Ambassador) -> Iterator[RawClient]:
    with RawClient(ambassador.port) as client:
        yield client


CLUSTERS: list[Command] = [
    ("READONLY",),
    ("READWRITE",),
    ("ASKING",),
    ("READONLY", "x"),
    ("CLUSTER",),
    ("CLUSTER", "INFO"),
    ("CLUSTER", "SLOTS"),
    ("CLUSTER", "NODES"),
    ("CLUSTER", "MYID"),
    ("CLUSTER", "HELP"),
    ("CLUSTER", "HELP", "x"),
    ("CLUSTER", "KEYSLOT", "a"),
    ("CLUSTER", "NOSUCH"),
    ("CLUSTER", "SHARDS"),
]


def test_what_is_about_clusters_is_answered_as_without_one(client: RawClient, plain: Server) -> None:
    block = [("MULTI",), ("READONLY",), ("CLUSTER", "INFO"), ("ECHO", "x"), ("EXEC",)]
    with RawClient(plain.port) as other:
        told = {" ".join(map(str, command)): client.call(*command) for command in CLUSTERS}
        assert told == {" ".join(map(str, command)): other.call(*command) for command in CLUSTERS}
        for each in (client, other):
            each.pipeline(block)
        assert client.read_many(len(block)) == other.read_many(len(block))


def test_keys_are_found_read_and_kept_together(client: RawClient, cluster: Cluster) -> None:
    for name in ("a", "b", "c"):
        assert client.call("SET", name, name) == b"+OK\r\n"
        client.pipeline([("WATCH", name), ("MULTI",), ("APPEND", name, "x"), ("EXEC",)])
        assert client.read_many(4)[3] == b"*1\r\n:2\r\n"
    client.pipeline([("GET", "a"), ("GET", "b"), ("GET", "c")])
    assert client.read_many(3) == [b"$2\r\nax\r\n", b"$2\r\nbx\r\n", b"$2\r\ncx\r\n"]
    assert client.call("DBSIZE") == b":3\r\n"
    assert client.call("MGET", "a", "b").startswith(b"-CROSSSLOT")

    def read() -> bool:
        for name in ("a", "b", "c"):
            client.call("GET", name)
        return all(replica.calls("get") for replica in cluster.replicas)

    until(read, what="all replicas to be read")


def test_the_whole_is_shown_as_one_server(client: RawClient) -> None:
    client.call("SET", "one", 1)
    info = client.call("INFO")
    assert b"_mode:standalone" in info
    assert b"_mode:cluster" not in info
    assert b"cluster_enabled:0" in info
    assert b"$4\r\nmode\r\n$10\r\nstandalone\r\n" in client.call("HELLO", 3)


def test_slots_that_move_are_not_seen(cluster: Cluster, client: RawClient) -> None:
    client.pipeline([("SET", "{s}a", 1), ("SET", "{s}b", 1), ("WATCH", "{s}a")])
    assert client.read_many(3) == [b"+OK\r\n"] * 3
    move = moving(cluster, "s")
    move.begin()
    move.take("{s}a")
    client.pipeline([("INCR", "{s}a"), ("INCR", "{s}b"), ("GET", "{s}a")])
    assert client.read_many(3) == [b":2\r\n", b":2\r\n", b"$1\r\n2\r\n"]
    client.pipeline([("MULTI",), ("INCR", "{s}b"), ("EXEC",)])
    assert client.read_many(3) == [b"+OK\r\n", b"+QUEUED\r\n", b"*-1\r\n"]  # what was watched has moved
    while move.keys():
        pass
    move.end()
    assert client.call("WATCH", "{s}a") == b"+OK\r\n"
    client.pipeline([("MULTI",), ("INCR", "{s}b"), ("EXEC",), ("MGET", "{s}a", "{s}b")])
    told = [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n:3\r\n", b"*2\r\n$1\r\n2\r\n$1\r\n3\r\n"]
    assert client.read_many(4) == told


def test_sharded_channels_are_heard(client: RawClient, ambassador: Ambassador) -> None:
    if client.call("SPUBLISH", "a", "x").startswith(b"-ERR unknown command"):
        pytest.skip("it has no sharded channels")
    with RawClient(ambassador.port, protocol=3) as listener:
        for count, name in enumerate(("a", "b", "c"), 1):
            assert listener.call("SSUBSCRIBE", name).endswith(b":%d\r\n" % count)
        for name in ("a", "b", "c"):
            assert client.call("SPUBLISH", name, "x") == b":1\r\n"
            assert listener.read() == b">3\r\n$8\r\nsmessage\r\n$1\r\n%b\r\n$1\r\nx\r\n" % name.encode()
