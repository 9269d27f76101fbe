"""The shared path in the running service: who is on it, what it costs the servers, the form without it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.processes import run
from tests.support.programs import script
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, request
from tests.support.secured import SECURED, names, reached
from tests.support.shared_path import PURE, SHARED, SHARING, compiled
from tests.support.waiting import pause, until


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as found:
        yield found


def is_compiled(form: dict[str, str]) -> bool:
    return form.items() >= SHARED.items() and "PODMATES_PURE" not in form


@pytest.fixture(scope="module", params=[*SHARING, *SECURED])
def form(request: pytest.FixtureRequest) -> dict[str, str]:
    found: dict[str, str] = request.param
    if is_compiled(found):
        compiled()
    return found


@pytest.fixture(scope="module")
def ambassador(pair: Pair, form: dict[str, str]) -> Iterator[Ambassador]:
    with Ambassador(*reached(pair, form), env=form) as found:
        yield found


def test_version_and_page_say_which_form_runs(
    pair: Pair, form: dict[str, str], ambassador: Ambassador
) -> None:
    assert json.loads(ambassador.get("/version").body)["engine"] == (
        "compiled" if is_compiled(form) else "asyncio"
    )
    compiled()
    assert run([script("podmates-redis"), "--version"]).stdout.rstrip().endswith("engine=compiled")
    assert run([script("podmates-redis"), "--version"], env=PURE).stdout.rstrip().endswith("engine=asyncio")
    with Ambassador("--servers", pair.addresses, env=PURE) as pure, RawClient(pure.port) as client:
        assert json.loads(pure.get("/version").body)["engine"] == "asyncio"
        assert client.call("SET", "k", "v") == b"+OK\r\n"


def test_plain_clients_share_connections(pair: Pair, ambassador: Ambassador) -> None:
    clients = [RawClient(ambassador.port) for _ in range(40)]
    try:
        for number, client in enumerate(clients):
            assert client.call("SET", f"shared:{number}", "v") == b"+OK\r\n"
        until(lambda: pair.master.info("clients")["connected_clients"] < 20, what="few connections")
        for number, client in enumerate(clients):
            assert client.call("GET", f"shared:{number}") == b"$1\r\nv\r\n"
    finally:
        for client in clients:
            client.close()


def test_a_client_goes_to_a_connection_of_its_own_and_comes_back(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as other:
        client.call("SET", "a", "1")
        client.send(request("BLPOP", "queue", 0))
        until(lambda: pair.master.info("clients")["blocked_clients"] == 1, what="it to wait")
        connections = pair.master.info("clients")["connected_clients"]
        assert other.call("RPUSH", "queue", "v") == b":1\r\n"
        assert client.read() == b"*2\r\n$5\r\nqueue\r\n$1\r\nv\r\n"
        until(
            lambda: pair.master.info("clients")["connected_clients"] < connections,
            what="its connection to be let go",
        )
        assert client.call("GET", "a") == b"$1\r\n1\r\n"


def test_databases_and_versions_have_connections_of_their_own(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as first, RawClient(ambassador.port) as second:
        assert second.call("SELECT", 5) == b"+OK\r\n"
        assert second.call("HELLO", 3)[:1] == b"%"
        for _ in range(50):
            assert first.call("SET", "where", "zero") == b"+OK\r\n"
            assert second.call("SET", "where", "five") == b"+OK\r\n"
            assert first.call("GET", "where") == b"$4\r\nzero\r\n"
            assert second.call("GET", "where") == b"$4\r\nfive\r\n"
        assert second.call("HGETALL", "none") == b"%0\r\n"
        assert first.call("HGETALL", "none") == b"*0\r\n"


def test_what_the_engine_serves_is_counted(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        before = strlens(ambassador)
        for _ in range(100):
            client.call("STRLEN", "none")
        until(lambda: strlens(ambassador) == before + 100, what="a hundred commands")


def strlens(ambassador: Ambassador) -> float:
    counted = ambassador.metric("redis_ambassador_commands_total")
    return sum(value for labels, value in counted.items() if ("command", "strlen") in labels)


def test_clients_on_the_shared_path_are_listed_and_can_be_ended(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as idle, RawClient(ambassador.port) as admin:
        number = int(idle.call("CLIENT", "ID")[1:])
        for _ in range(20):
            idle.call("GET", "listed")
        assert b" cmd=get " in admin.call("CLIENT", "LIST", "ID", number)
        assert admin.call("CLIENT", "KILL", "ID", number) == b":1\r\n"
        assert idle.read_rest() == b""


def test_a_pause_reaches_clients_on_the_shared_path(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as admin:
        client.call("SET", "paused", "0")
        assert admin.call("CLIENT", "PAUSE", 60_000, "WRITE") == b"+OK\r\n"
        client.send(request("SET", "paused", "1"))
        assert admin.call("GET", "paused") == b"$1\r\n0\r\n"
        assert admin.call("CLIENT", "UNPAUSE") == b"+OK\r\n"
        assert client.read() == b"+OK\r\n"


def test_shared_connections_are_counted(pair: Pair, ambassador: Ambassador, form: dict[str, str]) -> None:
    with RawClient(ambassador.port) as client:
        client.call("SET", "counted", "v")
        until(
            lambda: client.call("GET", "counted") and len(connections(ambassador)) == 2,
            what="a connection to each",
        )
        assert connections(ambassador).keys() == set(names(pair.servers, form))


def connections(ambassador: Ambassador) -> dict[str, float]:
    counted = ambassador.metric("redis_ambassador_upstream_connections")
    return {dict(labels)["node"]: value for labels, value in counted.items() if value}


def test_what_took_long_on_the_shared_path_is_in_the_slow_log(pair: Pair, form: dict[str, str]) -> None:
    with (
        Ambassador(*reached(pair, form), "--slowlog-slower-than", "200ms", env=form) as ambassador,
        RawClient(ambassador.port) as client,
    ):
        client.call("CLIENT", "SETNAME", "slow")
        for _ in range(5):
            assert client.call("SET", "k", "v") == b"+OK\r\n"
        with pair.master.stalled():
            client.send(request("SET", "k", "w"))
            until(lambda: ambassador.total("redis_ambassador_upstream_in_flight") >= 1, what="it to be sent")
            pause(0.4)
        assert client.read() == b"+OK\r\n"
        found = json.loads(ambassador.get("/slowlog").body)
        (entry,) = [entry for entry in found if entry["command"] == ["SET", "k", "w"]]
        assert (entry["client_name"], entry["route"], entry["node"]) == (
            "slow",
            "master",
            names([pair.master], form)[0],
        )
        assert entry["upstream_seconds"] > 0.2


def test_a_client_reads_the_same_replica_wherever_it_is(form: dict[str, str]) -> None:
    with (
        Pair(replicas=2) as pair,
        Ambassador(*reached(pair, form), "--consistency", "eventual", env=form) as ambassador,
    ):
        up = "redis_ambassador_upstream_up"
        until(lambda: list(ambassador.metric(up).values()) == [1.0] * 3, what="all to be in use")
        first, second = pair.replicas
        for _ in range(6):
            before = first.calls("get"), second.calls("get")
            with RawClient(ambassador.port) as client:
                for _ in range(6):
                    for _ in range(5):
                        client.call("GET", "k")
                    client.call("CLIENT", "ID")
            after = first.calls("get"), second.calls("get")
            assert sorted(b - a for a, b in zip(before, after, strict=True)) == [0, 30]


def test_a_stopped_replica_costs_half_the_time_and_a_stopped_master_all_of_it(form: dict[str, str]) -> None:
    with (
        Pair() as pair,
        Ambassador(*reached(pair, form), "--op-timeout", "1500ms", env=form) as ambassador,
        RawClient(ambassador.port) as client,
        RawClient(ambassador.port) as other,
    ):
        until(lambda: client.call("SET", "k", "v") == b"+OK\r\n", what="a write")
        pair.settle()
        before = pair.replica.calls("get")
        until(lambda: client.call("GET", "k") and pair.replica.calls("get") > before, what="the proof")
        with pair.replica.stalled():
            client.send(request("GET", "k"))
            assert client.read() == b"$1\r\nv\r\n"
        for each in (client, other):
            until(lambda each=each: each.call("GET", "k") == b"$1\r\nv\r\n", what="its answer")  # type: ignore[misc]
        with pair.master.stalled():
            client.send(request("SET", "k", "w"))
            assert client.read() == b"-ERR upstream timeout\r\n"
        until(lambda: client.call("SET", "k", "x") == b"+OK\r\n", what="the master")
        until(lambda: other.call("GET", "k") == b"$1\r\nx\r\n", what="the other's answer")
