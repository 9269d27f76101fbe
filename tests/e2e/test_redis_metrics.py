"""What the metrics say is what was sent: counted against real traffic, and bounded whatever is sent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import prepare
from tests.support.ports import free_port
from tests.support.redis_servers import Pair, Server
from tests.support.resp import Command, RawClient, request
from tests.support.shared_path import FORMS
from tests.support.waiting import until

PREFIX = "redis_ambassador_"
ROUNDS = 40


@pytest.fixture(params=FORMS)
def ambassador(redis_pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    with Ambassador("--servers", redis_pair.addresses, env=request.param) as ambassador:
        prepare(redis_pair, ambassador, "SET k v")
        yield ambassador


def counted(ambassador: Ambassador, **labels: str) -> float:
    return ambassador.total(PREFIX + "commands_total", **labels)


def timed(ambassador: Ambassador, **labels: str) -> float:
    return ambassador.total(PREFIX + "command_duration_seconds_count", **labels)


def test_commands_by_route_and_outcome_add_up_to_what_was_sent(ambassador: Ambassador) -> None:
    batch: list[Command] = [
        ("SET", "k", "v"),
        ("STRLEN", "other"),
        ("LPUSH", "k", "wrong type"),
        ("PING",),
        ("SHUTDOWN",),
        ("NO.SUCH.COMMAND", "x"),
    ]
    with RawClient(ambassador.port) as client:
        for _ in range(ROUNDS):
            client.pipeline(batch)
            replies = client.read_many(len(batch))
            assert [reply[:1] for reply in replies] == [b"+", b":", b"-", b"+", b"-", b"-"]

        assert counted(ambassador, command="set", route="master", outcome="ok") == ROUNDS
        assert counted(ambassador, command="strlen", outcome="ok") == ROUNDS
        assert counted(ambassador, command="lpush", route="master", outcome="error") == ROUNDS
        assert counted(ambassador, command="ping", route="local", outcome="ok") == ROUNDS
        assert counted(ambassador, command="shutdown", route="denied", outcome="error") == ROUNDS
        assert counted(ambassador, command="other", route="master", outcome="error") == ROUNDS
        for name in ("set", "strlen", "lpush", "ping", "shutdown", "other"):
            assert timed(ambassador, command=name) == ROUNDS, name
        errors = {word: ambassador.total(PREFIX + "error_replies_total", error=word) for word in _ERRORS}
        assert errors == dict.fromkeys(_ERRORS, ROUNDS)


_ERRORS = ("WRONGTYPE", "NOPERM", "ERR")


def test_reads_are_counted_where_they_were_answered_and_why(ambassador: Ambassador, redis_pair: Pair) -> None:
    before = sum(server.calls("strlen") for server in redis_pair.replicas)
    with RawClient(ambassador.port) as client:
        for number in range(ROUNDS):
            client.pipeline([("SET", f"k{number}", "v"), ("STRLEN", f"k{number}"), ("STRLEN", "k")])
            client.read_many(3)
    at_replica = sum(server.calls("strlen") for server in redis_pair.replicas) - before
    reads = ambassador.total(PREFIX + "reads_total") - counted(ambassador, command="get")

    assert reads == counted(ambassador, command="strlen") == 2 * ROUNDS
    assert counted(ambassador, command="strlen", route="replica") == at_replica
    reasons = ambassador.reads()
    assert reasons["master", "mark"] >= ROUNDS
    assert all(reason for route, reason in reasons if route == "master")


def test_what_clients_invent_makes_no_series_of_its_own(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        for number in range(ROUNDS):
            assert client.call(f"INVENTED{number}", "x").startswith(b"-ERR")
            assert client.call("CONFIG", f"INVENTED{number}").startswith(b"-")
            script = f"return redis.error_reply('WORD{number} made up')"
            assert client.call("EVAL", script, 0).startswith(b"-WORD%d" % number)
    text = ambassador.get("/metrics").body

    assert "nvented" not in text.lower()
    assert "WORD" not in text
    assert ambassador.total(PREFIX + "error_replies_total", error="other") == ROUNDS


def test_clients_are_counted_by_what_they_do_and_why_they_went(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses, "--client-idle-timeout", "5s") as ambassador:
        names = ("subscribed", "transaction", "blocked", "monitor", "tracking")
        clients = {name: RawClient(ambassador.port) for name in names}
        idle = RawClient(ambassador.port)
        try:
            clients["subscribed"].call("SUBSCRIBE", "c")
            clients["transaction"].call("MULTI")
            clients["monitor"].call("MONITOR")
            clients["tracking"].call("HELLO", "3")
            clients["tracking"].call("CLIENT", "TRACKING", "ON")
            clients["blocked"].pipeline([("BLPOP", "nothing", 0)])
            for name in names:
                until(lambda name=name: _state(ambassador, name) == 1, what=name)  # type: ignore[misc]
            assert idle.read_rest() == b""
        finally:
            for client in (*clients.values(), idle):
                client.close()
        until(lambda: _state(ambassador, "connected") == 0, what="everybody to leave")
        assert _closed(ambassador, "idle") >= 1
        came = ambassador.total(PREFIX + "clients_total")
        until(lambda: ambassador.total(PREFIX + "clients_closed_total") == came, what="a reason for each")


def _state(ambassador: Ambassador, state: str) -> float:
    return ambassador.total(PREFIX + "clients", state=state)


def _closed(ambassador: Ambassador, reason: str) -> float:
    return ambassador.total(PREFIX + "clients_closed_total", reason=reason)


def test_each_way_to_go_has_its_reason(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        assert client.call("QUIT") == b"+OK\r\n"
        client.read_rest()
    with RawClient(ambassador.port) as client:
        client.send(b"*x\r\n")
        assert client.read_rest().startswith(b"-ERR Protocol error")
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as other:
        number = client.call("CLIENT", "ID")[1:-2]
        assert other.call("CLIENT", "KILL", "ID", number) == b":1\r\n"
        client.read_rest()
    for reason in ("quit", "protocol", "killed"):
        until(lambda reason=reason: _closed(ambassador, reason) == 1, what=reason)  # type: ignore[misc]
    until(lambda: _closed(ambassador, "left") >= 1, what="who left")


def test_traffic_with_each_server_is_counted(ambassador: Ambassador, redis_pair: Pair) -> None:
    value = b"x" * 100_000
    with RawClient(ambassador.port) as client:
        assert client.call("SET", "large", value) == b"+OK\r\n"
        until(lambda: client.call("STRLEN", "large") == b":100000\r\n", what="the value")
        master = redis_pair.master.address
        assert 100_000 < _of(ambassador, "upstream_sent_bytes_total", master) < 200_000
        client.call("GET", "large")
        received = sum(
            _of(ambassador, "upstream_received_bytes_total", s.address) for s in redis_pair.servers
        )
        assert received > 100_000
        assert _of(ambassador, "upstream_connects_total", master) >= 1
        assert _of(ambassador, "upstream_connections", master) >= 1
        assert _of(ambassador, "upstream_duration_seconds_count", master) >= 1
        assert _of(ambassador, "upstream_offset", master) > 0
        assert ambassador.total(PREFIX + "queue_duration_seconds_count", route="master") >= 1


def _of(ambassador: Ambassador, name: str, node: str) -> float:
    return ambassador.total(PREFIX + name, node=node)


def test_a_server_that_refuses_connections_is_counted_and_the_time_without_a_master() -> None:
    address = f"127.0.0.1:{free_port()}"
    flags = ("--servers", address, "--startup-wait", "300ms")
    with Ambassador(*flags, ready=False) as ambassador, RawClient(ambassador.port) as client:
        assert client.call("GET", "k").startswith(b"-LOADING")
        until(
            lambda: ambassador.total(PREFIX + "master_unknown_seconds_total") > 0.2,
            what="the time to be counted",
        )
        assert ambassador.total(PREFIX + "error_replies_total", error="LOADING") == 1


def test_connections_that_cannot_be_made_and_those_that_wait_are_counted() -> None:
    with (
        Server() as alone,
        Ambassador("--servers", alone.address) as ambassador,
        contextlib.ExitStack() as stack,
    ):
        ambassador.wait_readyz()
        control = alone.client()
        control.config_set("maxclients", 1)
        for _ in range(4):
            client = stack.enter_context(RawClient(ambassador.port))
            client.send(request("WATCH", "k"))  # by a connection of its own
        for name in (
            "connect_failures_total",
            "failures",
            "connect_waits_total",
            "connect_wait_seconds_total",
        ):
            until(lambda name=name: _of(ambassador, f"upstream_{name}", alone.address) > 0, what=name)  # type: ignore[misc]
        assert ambassador.total(PREFIX + "upstream_connect_failures_total", cause="refused") > 0
        control.config_set("maxclients", 100)


def test_a_failover_is_counted_with_its_length() -> None:
    with Pair() as pair, Ambassador("--servers", pair.addresses) as ambassador:
        prepare(pair, ambassador, "SET k v")
        before = ambassador.total(PREFIX + "master_unknown_seconds_total")
        with RawClient(ambassador.port) as client:
            client.call("SET", "k", "v")
            pair.master.kill()
            pair.replica.promote()
            until(lambda: ambassador.total(PREFIX + "failovers_total") == 1, what="the failover")
        assert ambassador.total(PREFIX + "failover_duration_seconds_count") == 1
        assert ambassador.total(PREFIX + "upstream_role_changes_total", node=pair.replica.address) == 1
        gone = ambassador.total(PREFIX + "failover_duration_seconds_sum")
        assert ambassador.total(PREFIX + "master_unknown_seconds_total") - before >= gone > 0


def test_the_version_and_the_lag_of_the_loop_are_told(ambassador: Ambassador) -> None:
    ((labels, value),) = ambassador.metric(PREFIX + "build_info").items()
    assert value == 1
    assert {name for name, _ in labels} == {"version", "engine", "python"}
    until(lambda: ambassador.total(PREFIX + "loop_lag_seconds_count") >= 1, what="a tick")
