"""Clients for whom the ambassador has no session: they cost little, and are clients like any other."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.memory import resident
from tests.support.redis_servers import HOST, Pair
from tests.support.resp import RawClient, request
from tests.support.shared_path import SHARED, compiled
from tests.support.waiting import until

NOTHING_SAID = {
    "name": "",
    "cmd": "NULL",
    "db": "0",
    "flags": "N",
    "multi": "-1",
    "resp": "2",
    "user": "default",
}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as found:
        yield found


@pytest.fixture
def ambassador(pair: Pair) -> Iterator[Ambassador]:
    compiled()
    with Ambassador("--servers", pair.addresses, env=SHARED) as found:
        yield found


def connected(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=60)


def name(end: tuple[str, int]) -> str:
    return f"{end[0]}:{end[1]}"


def listed(client: RawClient) -> dict[str, dict[str, str]]:
    """Return what CLIENT LIST says, by address."""
    text = client.call("CLIENT", "LIST").partition(b"\r\n")[2].decode()
    lines = [dict(word.split("=", 1) for word in line.split()) for line in text.splitlines() if line]
    ids = [int(line["id"]) for line in lines]
    assert ids == sorted(ids), "they stand in the order in which they came"
    return {line["addr"]: line for line in lines}


def test_an_idle_client_costs_some_hundred_bytes(ambassador: Ambassador) -> None:
    pid = ambassador.process.pid
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            before = resident(pid)
            clients = [stack.enter_context(connected(ambassador.port)) for _ in range(1000)]
            for client in clients:
                client.sendall(request("PING"))
                assert client.recv(100) == b"+PONG\r\n"
        each = (resident(pid) - before) / 1000
        assert each <= 512 + 1024, "the second thousand, beyond a page or two for all"
        assert ambassador.metric("redis_ambassador_clients")[(("state", "connected"),)] == 2000


def test_who_has_said_nothing_is_listed_and_ended_like_others(ambassador: Ambassador) -> None:
    with (
        connected(ambassador.port) as idle,
        connected(ambassador.port) as other,
        RawClient(ambassador.port) as c,
    ):
        at = name(idle.getsockname())
        until(lambda: at in listed(c), what="the client to be accepted")
        found = listed(c)[at]
        assert NOTHING_SAID.items() <= found.items()
        assert found["laddr"] == f"{HOST}:{ambassador.port}"
        assert c.call("CLIENT", "LIST", "ID", found["id"]).count(b" addr=") == 1
        assert c.call("CLIENT", "KILL", "ID", found["id"]) == b":1\r\n"
        assert idle.recv(1) == b""
        assert at not in listed(c)
        assert c.call("CLIENT", "KILL", name(other.getsockname())) == b"+OK\r\n"
        assert other.recv(1) == b""
        killed = "redis_ambassador_clients_closed_total"
        until(lambda: ambassador.total(killed, reason="killed") == 2, what="both to be counted")


def test_a_name_a_library_and_a_transaction_are_remembered(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as one, RawClient(ambassador.port) as watcher:
        number = one.call("CLIENT", "ID")
        assert one.call("SELECT", 3) == b"+OK\r\n"
        assert one.call("CLIENT", "SETNAME", "kept") == b"+OK\r\n"
        assert one.call("MULTI") == b"+OK\r\n"
        assert one.call("SET", "of-three", "1") == b"+QUEUED\r\n"
        assert one.call("EXEC") == b"*1\r\n+OK\r\n"
        at = json.loads(ambassador.get("/clients").body)[0]["addr"]
        until(
            lambda: ambassador.metric("redis_ambassador_clients")[(("state", "dedicated"),)] == 0,
            what="peace",
        )
        assert one.call("GET", "of-three") == b"$1\r\n1\r\n"
        found = listed(watcher)[at]
        assert {"name": "kept", "db": "3", "cmd": "get"}.items() <= found.items()
        assert one.call("CLIENT", "ID") == number
        assert one.call("CLIENT", "GETNAME") == b"$4\r\nkept\r\n"


def test_a_pause_holds_who_comes_during_it(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as one, contextlib.ExitStack() as stack:
        assert one.call("CLIENT", "PAUSE", 60_000, "WRITE") == b"+OK\r\n"
        newcomer = stack.enter_context(RawClient(ambassador.port))
        newcomer.send(request("SET", "paused", "1"))
        until(
            lambda: "b" in [line["flags"] for line in json.loads(ambassador.get("/clients").body)],
            what="a wait",
        )
        assert pair.master.client().exists("paused") == 0
        assert one.call("CLIENT", "UNPAUSE") == b"+OK\r\n"
        assert newcomer.read() == b"+OK\r\n"


def test_invalidations_may_go_to_a_client_that_has_said_little(ambassador: Ambassador) -> None:
    with (
        RawClient(ambassador.port) as told,
        RawClient(ambassador.port) as asks,
        RawClient(ambassador.port) as c,
    ):
        number = int(told.call("CLIENT", "ID")[1:-2])
        assert told.call("GET", "whatever")[:1] == b"$"
        assert asks.call("CLIENT", "TRACKING", "ON", "REDIRECT", number) == b"+OK\r\n"
        assert told.call("SUBSCRIBE", "__redis__:invalidate").startswith(b"*3")
        assert asks.call("GET", "watched") == b"$-1\r\n"
        assert c.call("SET", "watched", "1") == b"+OK\r\n"
        assert b"watched" in told.read()


def test_all_of_them_count_for_the_limit(pair: Pair) -> None:
    compiled()
    with (
        Ambassador("--servers", pair.addresses, "--max-clients", "3", env=SHARED) as small,
        connected(small.port),
        connected(small.port),
        RawClient(small.port) as third,
    ):
        assert third.call("BLPOP", "none", 0.01)[:1] == b"*", "two with the engine, one here"
        with connected(small.port) as one_more:
            assert one_more.recv(100) == b"-ERR max number of clients reached\r\n"
        assert small.total("redis_ambassador_clients_rejected_total") == 1
        assert small.total("redis_ambassador_clients_total") == 3
