"""The admin pages: what goes on, as JSON, to anybody who reaches the port; no secret, and no room to fill."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podmates_redis.servers.asking import PATIENCE
from tests.support.ambassador import Ambassador
from tests.support.memory import peak
from tests.support.pods import ask, prepare
from tests.support.ports import free_port
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, request
from tests.support.strangers import Strangers, accepted
from tests.support.waiting import until

PAGES = ("/topology", "/config", "/clients", "/slowlog", "/stats", "/version")
MOST = 128  # connections


@pytest.fixture
def ambassador(redis_pair: Pair) -> Iterator[Ambassador]:
    flags = ("--servers", redis_pair.addresses, "--slowlog-slower-than", "20ms", "--op-timeout", "0")
    with Ambassador(*flags) as ambassador:
        prepare(redis_pair, ambassador, "SET k v")
        yield ambassador


def page(ambassador: Ambassador, path: str) -> Any:
    status, body = ambassador.get(path)
    assert status == 200, body
    return json.loads(body)


def method(ambassador: Ambassador, verb: str, path: str) -> int:
    request = urllib.request.Request(ambassador.admin + path, method=verb)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_topology_says_who_is_who_and_why(redis_pair: Pair, ambassador: Ambassador) -> None:
    def found_in_step() -> Any:
        """What a replica lacks is told by the last look at it: the master may just have pinged it."""
        found = page(ambassador, "/topology")
        return found if not any(node["lag_bytes"] for node in found["nodes"]) else None

    found = until(found_in_step, what="a replica that lacks nothing")

    assert found["master"] == redis_pair.master.address
    nodes = {node["node"]: node for node in found["nodes"]}
    assert set(nodes) == {server.address for server in redis_pair.servers}
    assert nodes[redis_pair.master.address]["role"] == "master"
    assert all(node["used"] and not node["why_not"] for node in nodes.values())
    assert found["failovers"] == 0


def test_a_server_that_does_not_answer_is_named_with_its_reason(redis_pair: Pair) -> None:
    dead = f"127.0.0.1:{free_port()}"
    with Ambassador("--servers", f"{redis_pair.addresses},{dead}") as ambassador:
        until(lambda: _node(ambassador, dead)["problem"] not in ("", "not asked yet"), what="the problem")
        assert not _node(ambassador, dead)["used"]
        assert _node(ambassador, dead)["why_not"]


def _node(ambassador: Ambassador, name: str) -> Any:
    return next(node for node in page(ambassador, "/topology")["nodes"] if node["node"] == name)


def test_the_settings_are_shown_with_their_origin_and_no_secret(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hush-hush-from-a-file\n")
    env = {"PODMATES_REDIS_PASSWORD_FILE": str(secret), "PODMATES_REDIS_SENTINEL_PASSWORD": "hush-sentinel"}
    with Ambassador("--servers", f"127.0.0.1:{free_port()}", env=env, ready=False) as ambassador:
        rows = {row["name"]: row for row in page(ambassador, "/config")}
        everything = "".join(ambassador.get(path).body for path in (*PAGES, "/metrics", "/readyz"))

    assert rows["password"] == {"name": "password", "value": "***", "from": "PODMATES_REDIS_PASSWORD_FILE"}
    assert rows["logins"]["value"] == "not set"
    assert rows["consistency"] == {"name": "consistency", "value": "session", "from": "default"}
    assert "hush" not in everything


def test_clients_are_listed_as_client_list_does(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        client.call("CLIENT", "SETNAME", "somebody")
        number = client.call("CLIENT", "ID")[1:-2].decode()
        client.call("SELECT", 3)
        mine = next(row for row in page(ambassador, "/clients") if row["id"] == number)

        assert (mine["name"], mine["db"], mine["cmd"]) == ("somebody", "3", "select")
        assert mine["addr"] == f"127.0.0.1:{client.socket.getsockname()[1]}"


def test_many_clients_are_all_listed(ambassador: Ambassador) -> None:
    clients = [RawClient(ambassador.port) for _ in range(230)]  # in more than one slice
    try:
        for client in clients:
            client.call("PING")
        ids = [row["id"] for row in page(ambassador, "/clients")]
        assert len(set(ids)) == len(ids) >= len(clients)
    finally:
        for client in clients:
            client.close()
    until(lambda: page(ambassador, "/clients") == [], what="nobody to be listed")


SLOW = "local n = 0; for i = 1, 5e6 do n = n + 1 end; return n"


def test_what_took_long_here_is_kept_and_the_servers_slowlog_stays_the_servers(
    ambassador: Ambassador, redis_pair: Pair
) -> None:
    with RawClient(ambassador.port) as client:
        client.call("CLIENT", "SETNAME", "slow-one")
        assert client.call("EVAL", SLOW, 0, b"\xff") == b":5000000\r\n"
        found = [row for row in page(ambassador, "/slowlog") if row["command"][0] == "EVAL"]
        ports = ambassador.port, redis_pair.master.port
        # a server that stood still between the two may have found another command slow
        until(lambda: len({ask(port, "SLOWLOG", "GET", "1") for port in ports}) == 1, what="the same answer")

    (row,) = found
    assert row["command"][1:] == [SLOW, "0", "\\xff"]
    assert row["seconds"] >= row["upstream_seconds"] > 0.02
    assert (row["route"], row["node"]) == ("master", redis_pair.master.address)
    assert row["client_name"] == "slow-one"
    assert row["reply_bytes"] == len(":5000000\r\n")
    assert ambassador.total("redis_ambassador_slowlog_entries_total") >= 1


def test_the_counts_are_told(ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        for _ in range(3):
            client.call("SHUTDOWN")
        found = page(ambassador, "/stats")

    assert found["commands_by_route"]["denied"] == 3
    assert found["errors"] == {"NOPERM": 3}


def test_no_page_waits_for_a_server(redis_pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        client.call("SET", "k", "v")
        with redis_pair.master.stalled(), redis_pair.replica.stalled():
            client.send(request("SET", "k", "w"))
            for path in (*PAGES, "/metrics", "/readyz", "/livez", "/startupz"):
                # what waited for a server would take the time that it has for its answer, each time
                until(lambda path=path: seconds(ambassador, path) < PATIENCE / 2, 20, path)  # type: ignore[misc]
        assert client.read() == b"+OK\r\n"


def seconds(ambassador: Ambassador, path: str) -> float:
    """Return how long the page took."""
    start = time.monotonic()
    assert ambassador.get(path).status in (200, 503)
    return time.monotonic() - start


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_reading(ambassador: Ambassador, path: str) -> None:
    assert method(ambassador, "HEAD", path) == 200
    for verb in ("POST", "PUT", "DELETE"):
        assert method(ambassador, verb, path) == 405
    assert method(ambassador, "GET", path + "/more") == 404


HEADERS = b"".join(b"X-%d: %b\r\n" % (number, b"x" * 8000) for number in range(120))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + HEADERS,
        b"GET /clients HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 99,
    ],
    ids=["nothing", "headers without end", "requests", "no HTTP"],
)
def test_strangers_neither_keep_a_probe_out_nor_fill_the_memory(ambassador: Ambassador, sent: bytes) -> None:
    port = int(ambassador.admin.rpartition(":")[2])
    before = peak(ambassador.process.pid)
    with Strangers(port, 500) as strangers:
        strangers.send(sent)
        assert ambassador.get("/livez").status == 200
        until(lambda: accepted(port) <= MOST, 60, "the connections to be few")
    assert peak(ambassador.process.pid) - before < 40 * 2**20
    assert "Traceback" not in ambassador.process.stderr
    assert len(ambassador.process.stderr.splitlines()) < 20


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"403"),
    ],
    ids=["a long path", "a bad length", "a command"],
)
def test_what_makes_no_sense_is_refused(ambassador: Ambassador, sent: bytes, status: bytes) -> None:
    port = int(ambassador.admin.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(sent)
        answer = connection.recv(4096)
    assert answer.split()[1] == status
    assert ambassador.get("/livez").status == 200
