"""Slots that move and shards that fail over, while clients of one plain server go on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest

from podmates_redis.cluster.hashing import slot_of
from tests.support.ambassador import Ambassador
from tests.support.redis_groups import Cluster, Move
from tests.support.redis_servers import Server
from tests.support.resp import RawClient
from tests.support.waiting import until

PATIENT = ("--master-wait", "90s", "--op-timeout", "90s", "--failover-wait", "90s")


@pytest.fixture(scope="module")
def ambassador(cluster: Cluster) -> Iterator[Ambassador]:
    with Ambassador("--cluster", cluster.addresses, "--admin-commands", "allow", *PATIENT) as ambassador:
        ambassador.wait_readyz()
        yield ambassador


@pytest.fixture
def client(ambassador: Ambassador) -> Iterator[RawClient]:
    with RawClient(ambassador.port) as client:
        yield client


def owner(cluster: Cluster, slot: int) -> Server:
    """Return the master that says that it serves *slot*."""
    for server in cluster.servers:
        for first, last, node, *_ in server.client().execute_command("CLUSTER", "SLOTS"):
            if first <= slot <= last and node[1] == server.port:
                return server
    raise AssertionError(f"nobody serves slot {slot}")


def other(cluster: Cluster, source: Server) -> Server:
    masters = (server for server in cluster.servers if server.info("replication")["role"] == "master")
    return next(server for server in masters if server is not source)


def moving(cluster: Cluster, tag: str) -> Move:
    """Return the move of the slot of *tag* to another master."""
    slot = slot_of(tag.encode())
    source = owner(cluster, slot)
    return Move(slot, source, other(cluster, source))


def test_a_key_that_has_moved_ahead_of_its_slot_is_asked_for_where_it_is(
    cluster: Cluster, client: RawClient
) -> None:
    client.pipeline([("SET", "{ask}a", 1), ("SET", "{ask}b", 1), ("GET", "{ask}a")])
    assert client.read_many(3) == [b"+OK\r\n", b"+OK\r\n", b"$1\r\n1\r\n"]
    move = moving(cluster, "ask")
    move.begin()
    move.take("{ask}a")

    assert client.call("GET", "{ask}a") == b"$1\r\n1\r\n"
    client.pipeline([("INCR", "{ask}a"), ("INCR", "{ask}b"), ("GET", "{ask}a"), ("SET", "{ask}new", 1)])
    assert client.read_many(4) == [b":2\r\n", b":2\r\n", b"$1\r\n2\r\n", b"+OK\r\n"]
    client.pipeline([("MULTI",), ("INCR", "{ask}a"), ("EXEC",)])
    assert client.read_many(3) == [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n:3\r\n"]

    while move.keys():
        pass
    move.end()
    client.pipeline([("MGET", "{ask}a", "{ask}b", "{ask}new"), ("GET", "{ask}b")])
    assert client.read_many(2) == [b"*3\r\n$1\r\n3\r\n$1\r\n2\r\n$1\r\n1\r\n", b"$1\r\n2\r\n"]


def test_several_keys_wait_until_they_are_together_again(cluster: Cluster, client: RawClient) -> None:
    client.call("MSET", "{try}a", 1, "{try}b", 2)
    move = moving(cluster, "try")
    move.begin()
    move.take("{try}a")

    client.pipeline([("MGET", "{try}a", "{try}b"), ("PING",)])
    until(lambda: sum(s.calls("asking") for s in cluster.masters) > 0 or True, what="the first try")
    move.keys()

    assert client.read_many(2) == [b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n", b"+PONG\r\n"]
    move.end()


def test_nothing_is_lost_or_doubled_while_slots_move(cluster: Cluster, ambassador: Ambassador) -> None:
    """Writers pipeline increments; each acknowledged one counts once, and each reader sees its own."""
    tags = [f"load{number}" for number in range(4)]
    stop, faults, counts = threading.Event(), list[str](), dict[str, int]()

    def write(tag: str) -> None:
        expected = 0
        with RawClient(ambassador.port, timeout=120) as client:
            while not stop.is_set():
                client.pipeline([("INCR", f"{{{tag}}}n"), ("GET", f"{{{tag}}}n"), ("INCR", f"{{{tag}}}n")])
                got, expected = client.read_many(3), expected + 2
                value = b"%d" % (expected - 1)
                wanted = [b":%b\r\n" % value, b"$%d\r\n%b\r\n" % (len(value), value), b":%d\r\n" % expected]
                if got != wanted:
                    faults.append(f"{tag}: {wanted} became {got}")
                    return
                if (alone := client.call("GET", f"{{{tag}}}n")) != b"$%d\r\n%d\r\n" % (
                    len(str(expected)),
                    expected,
                ):
                    faults.append(f"{tag}: {expected} was read as {alone!r}")
                    return
        counts[tag] = expected

    threads = [threading.Thread(target=write, args=(tag,)) for tag in tags]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            for tag in tags:
                move = moving(cluster, tag)
                move.begin()
                while move.keys(1):
                    pass
                move.end()
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)

    assert not faults
    assert len(counts) == len(tags)
    assert all(count > 2 for count in counts.values())


def test_a_watched_key_that_somebody_makes_where_its_slot_is_moving_to_aborts(
    cluster: Cluster, ambassador: Ambassador, client: RawClient
) -> None:
    """The shard where it is watched never hears of it."""
    client.call("SET", "{watch}there", 1)
    assert client.call("WATCH", "{watch}missing") == b"+OK\r\n"
    move = moving(cluster, "watch")
    move.begin()
    with RawClient(ambassador.port) as other:
        assert other.call("SET", "{watch}missing", 1) == b"+OK\r\n"
    client.pipeline([("MULTI",), ("INCR", "{watch}there"), ("EXEC",), ("GET", "{watch}there")])
    assert client.read_many(4) == [b"+OK\r\n", b"+QUEUED\r\n", b"*-1\r\n", b"$1\r\n1\r\n"]
    while move.keys():
        pass
    move.end()
    assert client.call("WATCH", "{watch}missing") == b"+OK\r\n"
    client.pipeline([("MULTI",), ("INCR", "{watch}there"), ("EXEC",)])
    assert client.read_many(3) == [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n:2\r\n"]


def replica_of(cluster: Cluster, master: Server) -> Server:
    return next(
        server
        for server in cluster.servers
        if server.info("replication").get("master_port") == master.port
        and server.info("replication")["role"] == "slave"
    )


def test_a_planned_failover_of_a_shard_is_not_seen(cluster: Cluster, ambassador: Ambassador) -> None:
    slot = slot_of(b"planned")
    master = owner(cluster, slot)
    replica = replica_of(cluster, master)
    subscriber = RawClient(ambassador.port)
    subscriber.call("SUBSCRIBE", "news")
    expected, done = 0, threading.Event()

    def fail_over() -> None:
        try:
            for _ in range(5):  # nodes give an attempt up after five seconds, and forget it
                replica.client().execute_command("CLUSTER", "FAILOVER")
                with contextlib.suppress(AssertionError):
                    until(
                        lambda: replica.info("replication")["role"] == "master",
                        10,
                        "the replica to take over",
                    )
                    return
        finally:
            done.set()

    thread = threading.Thread(target=fail_over)
    with RawClient(ambassador.port, timeout=120) as client:
        client.call("SET", "planned", 0)
        thread.start()
        while not done.is_set() or expected < 50:
            client.pipeline([("INCR", "planned"), ("GET", "planned")])
            expected += 1
            value = b"%d" % expected
            assert client.read_many(2) == [b":%b\r\n" % value, b"$%d\r\n%b\r\n" % (len(value), value)]
        thread.join(60)
        assert replica.info("replication")["role"] == "master"
        assert client.call("PUBLISH", "news", "x")[:1] == b":"
    subscriber.close()
    assert replica.client().get("planned") == b"%d" % expected
    master.wait_link()


def test_a_shard_whose_master_dies_goes_on_with_its_replica(cluster: Cluster, ambassador: Ambassador) -> None:
    slot = slot_of(b"killed")
    master = owner(cluster, slot)
    replica = replica_of(cluster, master)
    elsewhere = next(f"k{n}" for n in range(99) if owner(cluster, slot_of(f"k{n}".encode())) is not master)
    with RawClient(ambassador.port, timeout=120) as client:
        assert client.call("SET", "killed", "before") == b"+OK\r\n"
        assert client.call("WAIT", 1, 10000)[:1] == b":"
        master.kill()
        until(lambda: ambassador.get("/readyz").status != 200, what="the ambassador to miss the master")

        client.pipeline(
            [("GET", "killed"), ("SET", "killed", "after"), ("SET", elsewhere, 1), ("GET", "killed")]
        )
        assert client.read_many(4) == [b"$6\r\nbefore\r\n", b"+OK\r\n", b"+OK\r\n", b"$5\r\nafter\r\n"]
        assert replica.info("replication")["role"] == "master"
    master.start()
    master.wait_link()
