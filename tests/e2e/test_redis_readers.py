"""Who is read: by policy and zone; and replicas that are late, refuse clients, or have no master."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask, prepare, serves_reads
from tests.support.redis_servers import Pair, Server
from tests.support.resp import RawClient
from tests.support.shared_path import PURE
from tests.support.waiting import until

DOWN = b"-MASTERDOWN"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(2) as pair:
        yield pair


def readers(pair: Pair, ambassador: Ambassador, clients: int = 4) -> list[int]:
    """Return how many of so many clients read at the master, the first replica and the second.

    They all stay: among servers with as many clients each, chance decides who gets the next.
    """
    found = [0, 0, 0]
    with contextlib.ExitStack() as stack:
        for _ in range(clients):
            client = stack.enter_context(RawClient(ambassador.port))
            before = [server.calls("get") for server in pair.servers]
            assert client.call("GET", "k") == b"$1\r\nv\r\n"
            after = [server.calls("get") for server in pair.servers]
            found[[b == a for a, b in zip(after, before, strict=True)].index(False)] += 1
    return found


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--read-from", "master"), (True, False, False)),
        (("--read-from", "master_preferred"), (True, False, False)),
        (("--read-from", "replica"), (False, True, True)),
        (("--read-from", "any", "--balance", "round_robin"), (True, True, True)),
        (("--read-from", "any", "--master-weight", "0", "--balance", "round_robin"), (False, True, True)),
        (("--min-healthy", "3"), (True, False, False)),
        (("--zone", "near", "--zones", "127.*=near,localhost=far"), (False, True, False)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_who_is_read(pair: Pair, flags: tuple[str, ...], expected: tuple[bool, ...]) -> None:
    """The second replica is known by another name, so that it can be in another zone."""
    servers = f"{pair.master.address},{pair.replica.address},localhost:{pair.replicas[1].port}"
    pair.master.client().set("k", "v")
    pair.settle()
    with Ambassador("--servers", servers, "--consistency", "bounded", *flags) as ambassador:
        up = "redis_ambassador_upstream_up"
        until(lambda: len(ambassador.metric(up)) == 3 and ambassador.get("/readyz").status == 200)
        if "--min-healthy" not in flags:
            until(lambda: all(ambassador.metric(up).values()), what="the replicas to be taken up")
        found = readers(pair, ambassador, 3 if "--zone" in flags else 6)  # more would leave a full zone
    assert [bool(number) for number in found] == list(expected), found


def test_a_replica_too_far_behind_is_left_and_comes_back() -> None:
    """In bytes; the metric tells the seconds as well, and nothing was written for that to the data."""
    with Pair(forwarded=True) as pair:
        flags = ("--consistency", "bounded", "--max-lag-bytes", "100kB")
        with Ambassador("--servers", pair.addresses, *flags) as ambassador:
            prepare(pair, ambassador, "SET k v")
            pair.links[0].freeze()
            with RawClient(ambassador.port) as client:
                client.call("SET", "big", b"x" * 300_000)
                until(lambda: _ejected(ambassador) == {pair.replica.address: "lag"}, what="the ejection")
                assert client.call("GET", "k") == b"$1\r\nv\r\n"
            assert ambassador.reads()["master", "lag"] >= 1
            name = "redis_ambassador_upstream_lag_seconds"
            until(lambda: max(ambassador.metric(name).values()) > 1, what="seconds of lag")
            pair.links[0].thaw()
            until(lambda: not _ejected(ambassador), what="the readmission")
            serves_reads(pair, ambassador)


@pytest.mark.parametrize(
    ("fallback", "reply", "read"),
    [("error", DOWN, ("local", "lag")), ("stale", b"$1", ("replica", "stale"))],
)
def test_what_is_done_without_a_replica(fallback: str, reply: bytes, read: tuple[str, str]) -> None:
    with Pair(forwarded=True) as pair:
        flags = ("--consistency", "bounded", "--max-lag-bytes", "100kB", "--fallback", fallback)
        with Ambassador("--servers", pair.addresses, *flags) as ambassador:
            prepare(pair, ambassador, "SET k v")
            pair.links[0].freeze()
            assert ask(ambassador.port, "SET", "big", b"x" * 300_000) == b"+OK\r\n"
            until(
                lambda: ask(ambassador.port, "GET", "k").startswith(reply) and read in ambassador.reads(),
                what="the fallback",
            )
            pair.links[0].thaw()


def test_the_master_is_protected_from_reads_that_fall_back() -> None:
    with (
        Server() as alone,
        Ambassador("--servers", alone.address, "--fallback-max-rps", "10") as ambassador,
        RawClient(ambassador.port) as client,
    ):
        client.call("SET", "k", "v")
        client.pipeline([("GET", "k")] * 200)
        replies = client.read_many(200)
        assert client.call("SET", "k", "w") == b"+OK\r\n"

    assert set(replies) == {b"$1\r\nv\r\n", b"-ERR ambassador overloaded\r\n"}
    assert replies.count(b"$1\r\nv\r\n") < 100


@pytest.mark.parametrize("fault", ["killed", "cut off"])
def test_what_one_replica_cannot_answer_another_does(fault: str) -> None:
    with Pair(2) as pair, Ambassador("--servers", pair.addresses) as ambassador:
        prepare(pair, ambassador, "SET k v")
        until(lambda: all(readers(pair, ambassador)[1:]), what="both replicas to be read")
        with RawClient(ambassador.port) as client:
            before = [server.calls("get") for server in pair.servers]
            client.call("GET", "k")
            served = [server.calls("get") for server in pair.servers]
            server = next(s for s, b, a in zip(pair.servers, before, served, strict=True) if a > b)
            assert server is not pair.master
            if fault == "killed":
                server.kill()
            else:
                server.client().config_set("replica-serve-stale-data", "no")
                server.client().replicaof("127.0.0.1", "1")
            assert [client.call("GET", "k") for _ in range(20)] == [b"$1\r\nv\r\n"] * 20
        assert pair.master.calls("get") == served[0]


def test_a_replica_that_refuses_clients_is_left_alone_for_a_while() -> None:
    """The asking goes on over its own connection: only clients meet it, and a try has to be one.

    So they are not to share one that stands already.
    """
    with Pair() as pair, Ambassador("--servers", pair.addresses, env=PURE) as ambassador:
        prepare(pair, ambassador, "SET k v")
        control = pair.replica.client()
        control.config_set("maxclients", 1)
        for _ in range(6):
            assert ask(ambassador.port, "GET", "k") == b"$1\r\nv\r\n"
        until(lambda: _ejected(ambassador) == {pair.replica.address: "failures"}, what="the ejection")
        before = pair.master.calls("get")
        assert ask(ambassador.port, "GET", "k") == b"$1\r\nv\r\n"
        assert pair.master.calls("get") == before + 1
        control.config_set("maxclients", 100)
        until(lambda: not _ejected(ambassador), what="the readmission")
        serves_reads(pair, ambassador)


def test_without_a_master_replicas_are_read_for_so_long() -> None:
    with Pair() as pair:
        flags = ("--stale-ok", "6s", "--master-wait", "200ms")
        with Ambassador("--servers", pair.addresses, *flags) as ambassador:
            prepare(pair, ambassador, "SET k v")
            pair.master.kill()
            assert ask(ambassador.port, "GET", "k") == b"$1\r\nv\r\n"
            until(lambda: ask(ambassador.port, "GET", "k").startswith(DOWN), what="the end")
            wanted = {pair.replica.address: "no_master"}
            until(lambda: _ejected(ambassador) == wanted, what="the reason to be shown")


def test_a_master_preferred_is_missed_only_while_it_is_away() -> None:
    with Pair() as pair:
        flags = ("--read-from", "master_preferred", "--consistency", "bounded")
        with (
            Ambassador("--servers", pair.addresses, *flags) as ambassador,
            RawClient(ambassador.port) as client,
        ):
            client.call("SET", "k", "v")
            pair.settle()
            assert client.call("GET", "k") == b"$1\r\nv\r\n"
            assert ambassador.reads()["master", "choice"] == 1
            pair.master.kill()
            until(lambda: client.call("GET", "k") == b"$1\r\nv\r\n", what="a replica to answer")
            pair.replica.promote()
            before = pair.replica.calls("get")
            until(lambda: client.call("SET", "k", "w") == b"+OK\r\n", what="the new master")
            assert client.call("GET", "k") == b"$1\r\nw\r\n"
            assert pair.replica.calls("get") == before + 1


def test_old_connections_are_left_so_that_load_spreads() -> None:
    with Pair() as pair, Ambassador("--servers", pair.addresses, "--max-age", "300ms") as ambassador:
        prepare(pair, ambassador, "SET k v")
        name = "redis_ambassador_upstream_connects_total"

        def made() -> float:
            return {dict(labels)["node"]: value for labels, value in ambassador.metric(name).items()}[
                pair.replica.address
            ]

        with RawClient(ambassador.port) as client:
            client.call("GET", "k")
            before = made()
            until(lambda: client.call("GET", "k") and made() >= before + 2, what="new connections")


def _ejected(ambassador: Ambassador) -> dict[str, str]:
    found = ambassador.metric("redis_ambassador_upstream_ejected")
    return {dict(labels)["node"]: dict(labels)["reason"] for labels in found}
