"""Servers found by a name: an address behind which the server changes, and replicas that the master names."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.forwarder import Forwarder
from tests.support.pods import serves_reads
from tests.support.processes import run
from tests.support.programs import script
from tests.support.redis_servers import HOST, Pair
from tests.support.resp import RawClient
from tests.support.waiting import until
from tests.support.writer import Writer, first_after

LIMIT = 10.0  # seconds: a standing connection is looked at every five


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


def test_a_name_is_enough(pair: Pair) -> None:
    names = ",".join(f"localhost:{server.port}" for server in pair.servers)
    with Ambassador("--dns", names) as ambassador, RawClient(ambassador.port) as client:
        assert client.call("SET", "k", "v") == b"+OK\r\n"
        serves_reads(pair, ambassador)
        assert ambassador.get("/readyz").status == 200


@pytest.mark.parametrize("demoted", [True, False], ids=["the old master is told", "nobody tells it"])
def test_the_server_behind_an_address_changes_under_open_connections(pair: Pair, demoted: bool) -> None:
    """As behind the address of a service: no connection breaks, new ones lead to another server."""
    with (
        Forwarder((HOST, pair.master.port)) as address,
        Ambassador("--dns", f"localhost:{address.port}") as ambassador,
    ):
        writer = Writer(ambassador.port)
        writer.start()
        writer.progress()
        if demoted:
            pair.master.hand_over(pair.replica)
        else:
            pair.replica.promote()
        address.target = (HOST, pair.replica.port)
        moved = time.monotonic()
        until(lambda: _leads(pair) and pair.replica.calls("set") > 100, what="writes at the new one")
        writer.progress()
        gap = first_after(writer, moved)
        writer.end()
        assert ambassador.metric("redis_ambassador_failovers_total")[()] == 1.0

    assert not writer.closed
    assert not writer.errors
    assert gap < LIMIT
    if demoted:
        assert not writer.wrong


def _leads(pair: Pair) -> bool:
    return bool(pair.replica.info("replication")["role"] == "master")


def test_a_name_that_nobody_knows_is_said(pair: Pair) -> None:
    flags = ("--dns", "no-such-name.invalid:6379", "--startup-wait", "100ms")
    with Ambassador(*flags) as ambassador, RawClient(ambassador.port) as client:
        assert client.call("SET", "k", "v").startswith(b"-LOADING")
        assert ambassador.get("/readyz").status == 503
        ambassador.process.wait_line(r"name no-such-name.invalid:6379: cannot be resolved")


def test_replicas_are_learnt_from_the_master(pair: Pair) -> None:
    with Ambassador("--servers", pair.master.address, "--learn-replicas") as ambassador:
        with RawClient(ambassador.port) as client:
            assert client.call("SET", "k", "v") == b"+OK\r\n"
        serves_reads(pair, ambassador)


def test_two_masters_are_none_where_that_is_wanted(pair: Pair) -> None:
    flags = ("--split-brain", "refuse", "--master-wait", "100ms")
    with Ambassador("--servers", pair.addresses, *flags) as ambassador, RawClient(ambassador.port) as client:
        until(lambda: client.call("SET", "k", "v") == b"+OK\r\n", what="a write")
        pair.replica.promote()
        until(lambda: client.call("SET", "k", "v").startswith(b"-"), what="the refusal")


def test_one_way_of_finding_servers_at_a_time() -> None:
    flags = ("--servers", "a:1", "--dns", "b:1", "--sentinels", "c:1", "--sentinel-master", "m")
    found = run([script("podmates-redis"), "check", *flags])

    assert found.status == 2
    assert "--dns: not together with --servers" in found.stderr + found.stdout
