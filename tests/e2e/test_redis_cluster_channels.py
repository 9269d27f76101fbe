"""Publishing and subscribing before a cluster: as at one server, also where sharded channels are at many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.test_redis_cluster_moves import moving
from tests.support.ambassador import Ambassador
from tests.support.redis_groups import Cluster
from tests.support.redis_servers import Server
from tests.support.resp import RawClient, request
from tests.support.waiting import until

NAMES = ("a", "b", "c")  # of three shards


@pytest.fixture(scope="module")
def ambassador(cluster: Cluster) -> Iterator[Ambassador]:
    with Ambassador("--cluster", cluster.addresses) as ambassador:
        ambassador.wait_readyz()
        yield ambassador


@pytest.fixture
def both(redis_server: Server, ambassador: Ambassador) -> Iterator[tuple[RawClient, RawClient]]:
    """A client of a plain server, and one of the ambassador."""
    with RawClient(redis_server.port) as plain, RawClient(ambassador.port) as ours:
        yield plain, ours


@pytest.mark.parametrize("subscribe", ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"])
def test_a_subscriber_is_refused_all_else_in_the_servers_words(
    both: tuple[RawClient, RawClient], subscribe: str
) -> None:
    told = []
    for client in both:
        client.pipeline([(subscribe, "a")])  # at another shard than what names no key
        replies = client.read_many(1)
        for line in ("GET a", "GET b", "SET c x", "MGET a b", "DBSIZE", "SCAN 0", "MULTI", "READONLY"):
            replies.append(client.call(*line.split()))
        for line in ("PING", "PING x", "ECHO x", "NOSUCH", "GET", "CLIENT ID", "HELLO 3"):
            replies.append(client.call(*line.split()))
        told.append(replies)
    assert told[0] == told[1]


@pytest.mark.parametrize("protocol", [2, 3])
def test_sharded_channels_of_many_shards_are_one_list(
    redis_server: Server, ambassador: Ambassador, protocol: int
) -> None:
    told = []
    for port in (redis_server.port, ambassador.port):
        with RawClient(port, protocol=protocol) as client:
            client.send(request("SSUBSCRIBE", *NAMES))
            replies = client.read_many(3)
            client.send(request("SUNSUBSCRIBE", "b", "nosuch"))
            replies += client.read_many(2)
            client.send(request("SUNSUBSCRIBE"))
            left = client.read_many(2)
            replies += [frame.replace(b"$1\r\nc", b"$1\r\na") for frame in left]  # in any order
            client.send(request("SUNSUBSCRIBE"))
            replies += [client.read(), client.call("PING"), client.call("GET", "b")]
        told.append(replies)
    assert told[0] == told[1]


def test_a_subscriber_whose_channel_moves_to_another_shard_is_closed(
    cluster: Cluster, ambassador: Ambassador
) -> None:
    """As when a server is lost: messages may be missing, and its library subscribes again."""
    with RawClient(ambassador.port) as listener, RawClient(ambassador.port) as client:
        assert listener.call("SSUBSCRIBE", "{move}x").endswith(b":1\r\n")
        move = moving(cluster, "move")
        move.begin()
        move.end()
        assert listener.read_rest() == b""
        with RawClient(ambassador.port) as again:
            assert again.call("SSUBSCRIBE", "{move}x").endswith(b":1\r\n")
            assert client.call("SPUBLISH", "{move}x", "hello") == b":1\r\n"
            assert b"hello" in again.read()


def test_a_monitor_sees_what_all_shards_run(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as monitor, RawClient(ambassador.port) as client:
        client.call("SET", "a", "before")
        assert monitor.call("MONITOR") == b"+OK\r\n"
        long = "v" * 300_000
        client.pipeline([command for name in NAMES for command in (("SET", name, long), ("GET", name))])
        client.read_many(6)
        wanted = {(command, f'"{name}"') for name in NAMES for command in ('"SET"', '"GET"')}
        seen = set[tuple[str, ...]]()
        for _ in range(500):
            if wanted <= seen:
                break
            line = monitor.read()
            assert line.startswith(b"+1")
            assert line.count(b" [0 ") == 1
            seen.add(tuple(line.decode().split()[3:5]))
        assert wanted <= seen
        monitor.send(request("RESET"))
        while (last := monitor.read()) != b"+RESET\r\n":
            assert last.startswith(b"+1")
        assert monitor.call("GET", "b").startswith(b"$300000")
    until(lambda: ambassador.total("redis_ambassador_clients", state="monitor") == 0, what="its end")
