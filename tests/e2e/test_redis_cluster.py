"""A cluster of three masters and three replicas, met as one plain server."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.test_redis_differential import Twin, run
from tests.support.ambassador import Ambassador
from tests.support.cluster_streams import ClusterGenerator
from tests.support.redis_groups import Cluster
from tests.support.redis_servers import Server
from tests.support.redis_streams import DATA
from tests.support.resp import RawClient, request
from tests.support.waiting import until

PROTOCOLS = (2, 3, 2)
FAMILIES = (*DATA, "transactions", "errors", "scripts")


@pytest.fixture(scope="module")
def ambassador(cluster: Cluster) -> Iterator[Ambassador]:
    with Ambassador("--cluster", cluster.servers[0].address, "--admin-commands", "allow") as ambassador:
        ambassador.wait_readyz()
        yield ambassador


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def twins(plain: Server, ambassador: Ambassador) -> Iterator[list[Twin]]:
    both = [Twin(plain.port, ambassador.port, protocol) for protocol in PROTOCOLS]
    both[0].exchange([("FLUSHALL",), ("SCRIPT", "FLUSH")], 1)
    yield both
    for twin in both:
        twin.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_keys_of_one_slot_get_the_replies_of_a_plain_server(twins: list[Twin], seed: int) -> None:
    run(ClusterGenerator(seed, FAMILIES, f"{{{seed}}}"), twins, 100)


@pytest.mark.parametrize("seed", [11, 12])
def test_keys_of_all_shards_get_the_replies_of_a_plain_server(twins: list[Twin], seed: int) -> None:
    run(ClusterGenerator(seed, (*DATA, "errors")), twins, 100)


@pytest.fixture
def client(ambassador: Ambassador) -> Iterator[RawClient]:
    with RawClient(ambassador.port) as client:
        assert client.call("FLUSHALL") == b"+OK\r\n"
        yield client


def test_commands_about_all_keys_are_about_those_of_all_shards(
    client: RawClient, cluster: Cluster, ambassador: Ambassador
) -> None:
    names = {f"key:{number}" for number in range(60)}
    client.pipeline([("SET", name, name) for name in sorted(names)])
    assert set(client.read_many(60)) == {b"+OK\r\n"}
    assert all(master.client().dbsize() for master in cluster.masters)

    redis_client = ambassador.client()
    assert redis_client.dbsize() == 60
    assert {name.decode() for name in redis_client.keys("*")} == names
    assert sorted(name.decode() for name in redis_client.scan_iter(count=7)) == sorted(names)
    assert redis_client.randomkey().decode() in names
    assert redis_client.info("keyspace")["db0"]["keys"] == 60
    facts = redis_client.info()
    assert (facts["redis_mode"], facts["cluster_enabled"], facts["db0"]["keys"]) == ("standalone", 0, 60)
    assert client.call("SCAN", "x") == b"-ERR invalid cursor\r\n"
    assert client.call("SCAN", 4095) == b"-ERR invalid cursor\r\n"
    assert redis_client.flushall()
    assert redis_client.dbsize() == 0
    assert redis_client.randomkey() is None


def test_reads_are_answered_by_the_replicas_of_all_shards(
    client: RawClient, cluster: Cluster, ambassador: Ambassador
) -> None:
    for number in range(30):
        client.call("SET", f"key:{number}", number)
    reader = ambassador.client()
    before = [replica.calls("get") for replica in cluster.replicas]

    def served() -> bool:
        assert [reader.get(f"key:{number}") for number in range(30)] == [b"%d" % n for n in range(30)]
        return all(
            replica.calls("get") > earlier for replica, earlier in zip(cluster.replicas, before, strict=True)
        )

    until(served, what="every replica to be read")


def test_what_crosses_slots_is_refused_in_the_servers_words(client: RawClient) -> None:
    crossed = b"-CROSSSLOT Keys in request don't hash to the same slot\r\n"
    assert client.call("MGET", "a", "b") == crossed
    assert client.call("MSET", "a", 1, "b", 2) == crossed
    assert client.call("SELECT", 1) == b"-ERR SELECT is not allowed in cluster mode\r\n"
    client.pipeline([("MULTI",), ("SET", "a", 1), ("SET", "b", 1), ("EXEC",), ("GET", "a")])
    aborted = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
    assert client.read_many(5) == [b"+OK\r\n", b"+QUEUED\r\n", crossed, aborted, b"$-1\r\n"]
    assert client.call("WATCH", "a") == b"+OK\r\n"
    assert client.call("WATCH", "b") == crossed


def test_the_client_is_told_of_no_cluster(client: RawClient) -> None:
    disabled = b"-ERR This instance has cluster support disabled\r\n"
    for command in (("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"), ("READONLY",), ("READWRITE",), ("ASKING",)):
        assert client.call(*command) == disabled
    assert client.call("CLIENT", "TRACKING", "ON").startswith(b"-ERR CLIENT TRACKING is not available")
    greeting = client.call("HELLO", 3)
    assert b"$4\r\nmode\r\n$10\r\nstandalone\r\n" in greeting
    assert b"$4\r\nrole\r\n$6\r\nmaster\r\n" in greeting


def test_a_transaction_is_taken_to_the_shard_of_its_first_key(client: RawClient) -> None:
    """One request at a time, so that the shard is not known when MULTI comes."""
    for name in ("a", "b", "c", "foo"):  # of all three shards
        assert client.call("MULTI") == b"+OK\r\n"
        assert client.call("PING") == b"+QUEUED\r\n"
        assert client.call("INCR", name) == b"+QUEUED\r\n"
        assert client.call("INCR", name) == b"+QUEUED\r\n"
        assert client.call("EXEC") == b"*3\r\n+PONG\r\n:1\r\n:2\r\n"
        assert client.call("EXEC") == b"-ERR EXEC without MULTI\r\n"


def test_a_watched_key_that_somebody_else_changes_aborts(client: RawClient, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as other:
        for name in ("a", "b", "c"):
            assert client.call("WATCH", name) == b"+OK\r\n"
            assert client.call("GET", name) == b"$-1\r\n"
            assert client.call("GET", "elsewhere") == b"$-1\r\n"
            other.call("SET", name, 1)
            client.pipeline([("MULTI",), ("SET", name, 2), ("EXEC",), ("GET", name)])
            assert client.read_many(4) == [b"+OK\r\n", b"+QUEUED\r\n", b"*-1\r\n", b"$1\r\n1\r\n"]


def test_scripts_run_at_the_shard_of_their_keys(client: RawClient) -> None:
    body = "return redis.call('incr', KEYS[1])"
    assert client.call("EVAL", body, 1, "a") == b":1\r\n"
    digest = hashlib.sha1(body.encode()).hexdigest()
    assert client.call("EVALSHA", digest, 1, "a") == b":2\r\n"
    assert client.call("EVALSHA", digest, 1, "b") == b":1\r\n"  # a shard that was never told
    assert client.call("SCRIPT", "EXISTS", digest, "f" * 40) == b"*2\r\n:1\r\n:0\r\n"
    assert client.call("SCRIPT", "FLUSH") == b"+OK\r\n"
    assert client.call("EVALSHA", digest, 1, "c").startswith(b"-NOSCRIPT")
    function = "function(k, a) return redis.call('set', k[1], a[1]) end"
    library = f"#!lua name=lib\nredis.register_function('put', {function})"
    assert client.call("FUNCTION", "LOAD", library) == b"$3\r\nlib\r\n"
    for name in ("a", "b", "c"):
        assert client.call("FCALL", "put", 1, name, 7) == b"+OK\r\n"
        assert client.call("GET", name) == b"$1\r\n7\r\n"
    assert client.call("FUNCTION", "FLUSH") == b"+OK\r\n"


def test_who_waits_is_woken_wherever_the_key_is(client: RawClient, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as waiting:
        number = int(waiting.call("CLIENT", "ID")[1:])
        for name in ("a", "b", "c"):
            waiting.send(request("BLPOP", name, 0))
            until(lambda: b" flags=b " in client.call("CLIENT", "LIST"), what="the client to wait")
            client.call("RPUSH", name, "x")
            assert waiting.read() == b"*2\r\n$1\r\n%b\r\n$1\r\nx\r\n" % name.encode()
            waiting.send(request("BLPOP", name, 0))
            until(lambda: b" flags=b " in client.call("CLIENT", "LIST"), what="the client to wait again")
            assert client.call("CLIENT", "UNBLOCK", number) == b":1\r\n"
            assert waiting.read() == b"*-1\r\n"


def test_messages_reach_subscribers_also_by_sharded_channels(
    client: RawClient, ambassador: Ambassador
) -> None:
    with RawClient(ambassador.port) as listener:
        listener.call("SUBSCRIBE", "news")
        assert client.call("PUBLISH", "news", "x") == b":1\r\n"
        assert listener.read() == b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n"
    with RawClient(ambassador.port, protocol=3) as listener:
        for count, name in enumerate(("a", "b", "c"), 1):
            acknowledged = b">3\r\n$10\r\nssubscribe\r\n$1\r\n%b\r\n:%d\r\n" % (name.encode(), count)
            assert listener.call("SSUBSCRIBE", name) == acknowledged
        for name in ("a", "b", "c"):
            assert client.call("SPUBLISH", name, "x") == b":1\r\n"
            assert listener.read() == b">3\r\n$8\r\nsmessage\r\n$1\r\n%b\r\n$1\r\nx\r\n" % name.encode()
        assert client.call("PUBSUB", "SHARDNUMSUB", "a", "b") == b"*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:1\r\n"


def test_effects_come_in_the_order_of_one_pipeline(client: RawClient, ambassador: Ambassador) -> None:
    """Data at one shard, then the job that names it at another: who gets the job finds the data."""
    missing, count = list[int](), 200

    def work() -> None:
        with RawClient(ambassador.port) as worker:
            for _ in range(count):
                job = worker.call("BLPOP", "jobs", 20).split(b"\r\n")[-2].decode()
                if worker.call("GET", f"data:{job}") != b"$4\r\ndata\r\n":
                    missing.append(int(job))

    thread = threading.Thread(target=work)
    thread.start()
    for number in range(0, count, 10):
        batch = range(number, number + 10)
        client.pipeline(
            [command for n in batch for command in (("SET", f"data:{n}", "data"), ("RPUSH", "jobs", n))]
        )
        client.read_many(20)
    thread.join(60)
    assert not thread.is_alive()
    assert missing == []
