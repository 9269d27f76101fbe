"""What the settings promise: how consistent reads are, who may log in, where the ambassador listens."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask, prepare, serves_reads
from tests.support.redis_servers import Pair, Server
from tests.support.resp import RawClient, request
from tests.support.waiting import stays, until

OLD, NEW = b"$3\r\nold\r\n", b"$3\r\nnew\r\n"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(forwarded=True) as pair:
        yield pair


# mode: (a read of an own write, of another pod's write, and of that again once a reply told of it)
MODES = {
    "session": (NEW, OLD, NEW),
    "own-writes": (NEW, OLD, OLD),
    "eventual": (OLD, OLD, OLD),
}


@pytest.mark.parametrize("mode", MODES)
def test_how_stale_a_read_may_be(pair: Pair, mode: str) -> None:
    with Ambassador("--servers", pair.addresses, "--consistency", mode) as ambassador:
        prepare(pair, ambassador, "SET own old; SET other old; RPUSH jobs a")
        with RawClient(ambassador.port) as client:
            client.call("GET", "own")
            pair.links[0].freeze()
            try:
                ask(pair.master.port, "SET", "other", "new")
                client.call("SET", "own", "new")
                got = [client.call("GET", "own"), client.call("GET", "other")]
                client.call("LPOP", "jobs")
                got.append(client.call("GET", "other"))
            finally:
                pair.links[0].thaw()

    assert tuple(got) == MODES[mode]


@pytest.mark.parametrize("flags", [("--consistency", "strict"), ("--read-from", "master")])
def test_a_strict_pod_never_asks_a_replica(pair: Pair, flags: tuple[str, str]) -> None:
    pair.master.client().set("k", "v")
    pair.settle()
    before = pair.replica.calls("get")
    with Ambassador("--servers", pair.addresses, *flags) as ambassador:
        until(lambda: ask(ambassador.port, "GET", "k") == b"$1\r\nv\r\n", what="a read")
        with RawClient(ambassador.port) as client:
            for _ in range(100):
                client.call("GET", "k")
        assert {route for route, _ in ambassador.reads()} == {"master"}

    assert pair.replica.calls("get") == before


def test_clients_log_in_as_themselves() -> None:
    with Pair() as pair:
        for server in pair.servers:
            server.client().execute_command("ACL", "SETUSER", "app", "on", ">secret", "~app:*", "+@all")
            server.client().execute_command("ACL", "SETUSER", "default", "on", "resetpass", ">master-key")
            server.password = "master-key"
        pair.master.client().config_set("masterauth", "master-key")
        pair.replica.client().config_set("masterauth", "master-key")
        env = {"PODMATES_REDIS_PASSWORD": "master-key"}
        with (
            Ambassador("--servers", pair.addresses, "--auth", "passthrough", env=env) as ambassador,
            RawClient(ambassador.port) as client,
            RawClient(ambassador.port) as other,
        ):
            assert client.call("GET", "app:k").startswith(b"-NOAUTH")
            assert client.call("AUTH", "app", "wrong").startswith(b"-WRONGPASS")
            assert client.call("AUTH", "app", "secret") == b"+OK\r\n"
            assert client.call("SET", "app:k", "v") == b"+OK\r\n"
            assert client.call("SET", "k", "v").startswith(b"-NOPERM")
            assert client.call("ACL", "WHOAMI") == b"$3\r\napp\r\n"
            assert other.call("GET", "app:k").startswith(b"-NOAUTH")
            assert other.call("HELLO", 3, "AUTH", "app", "secret").startswith(b"%")
            pair.settle()
            until(
                lambda: other.call("GET", "app:k") and pair.replica.calls("get"), what="the replica to serve"
            )
            for _ in range(20):
                assert other.call("GET", "app:k") == b"$1\r\nv\r\n"
                assert other.call("GET", "k").startswith(b"-NOPERM")
            assert "secret" not in ambassador.process.output + ambassador.get("/metrics").body


def test_a_user_that_is_deleted_has_no_clients_left() -> None:
    """Whatever they do at the moment, with a connection to the server or without; inside `MULTI`, too."""
    with Pair() as pair, contextlib.ExitStack() as stack:
        flags = ("--auth", "passthrough", "--admin-commands", "allow")
        ambassador = stack.enter_context(Ambassador("--servers", pair.addresses, *flags))
        for port in (pair.master.port, ambassador.port):
            for transaction in (False, True):
                clients = [stack.enter_context(RawClient(port)) for _ in range(6)]
                admin, gone = clients[0], clients[1:]
                admin.call("ACL", "SETUSER", "gone", "on", ">pw", "~*", "&*", "+@all")
                for client in gone:
                    assert client.call("AUTH", "gone", "pw") == b"+OK\r\n"
                gone[0].call("SUBSCRIBE", "c")
                gone[1].call("MULTI")
                gone[2].call("SET", "k", "v")
                gone[3].send(request("BLPOP", "none", 0))
                if transaction:
                    admin.pipeline([("MULTI",), ("ACL", "DELUSER", "gone", "nobody"), ("EXEC",)])
                    assert admin.read_many(3) == [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n:1\r\n"]
                else:
                    assert gone[4].call("ACL", "DELUSER", "gone", "nobody") == b":1\r\n"
                assert [client.read_rest() for client in gone] == [b""] * 5
                assert admin.call("ACL", "WHOAMI") == b"$7\r\ndefault\r\n"


def test_a_user_whom_only_the_master_knows_reads_there_at_once(pair: Pair) -> None:
    """Each server has users of its own: the replica is not tried again with every read."""
    for server, rights in ((pair.master, ()), (pair.replica, ("-get",))):
        for user in ("limited", "unknown"):
            server.client().execute_command("ACL", "SETUSER", user, "on", ">pw", "~*", "&*", "+@all", *rights)
    replica = pair.replica.client()
    replica.execute_command("ACL", "DELUSER", "unknown")
    replica.execute_command("ACL", "LOG", "RESET")
    with Ambassador("--servers", pair.addresses, "--auth", "passthrough") as ambassador:
        serves_reads(pair, ambassador)
        for user in ("limited", "unknown"):
            for _ in range(2):
                with RawClient(ambassador.port) as client:
                    assert client.call("AUTH", user, "pw") == b"+OK\r\n"
                    client.call("SET", "k", "v")
                    pair.settle()
                    for _ in range(20):
                        assert client.call("GET", "k") == b"$1\r\nv\r\n"
        assert sum(int(entry["count"]) for entry in replica.acl_log()) <= 2
        serves_reads(pair, ambassador)  # to others


def test_it_listens_where_it_is_told(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    flags = ("--listen", f"unix:{path}", "--listen", "[::1]:0", "--servers", pair.addresses)
    with Ambassador(*flags) as ambassador:
        ready = ambassador.wait_ready().group("listen")
        assert f"127.0.0.1:{ambassador.port}" in ready
        with socket.socket(socket.AF_UNIX) as local:
            local.settimeout(30)
            local.connect(str(path))
            local.sendall(b"PING\r\n")
            assert local.recv(100) == b"+PONG\r\n"
        found = re.search(r"\[::1\]:(\d+)", ready)
        if found:  # where the machine has IPv6
            with socket.create_connection(("::1", int(found[1])), timeout=30) as peer:
                peer.sendall(b"PING\r\n")
                assert peer.recv(100) == b"+PONG\r\n"
        assert ambassador.process.stop() == 0

    assert not path.exists()


def test_settings_come_from_a_file_below_variables_below_flags(pair: Pair, tmp_path: Path) -> None:
    file = tmp_path / "redis.toml"
    file.write_text(f'servers = "{pair.addresses}"\nconsistency = "strict"\n')
    with Ambassador("--config", str(file)) as ambassador:
        assert ask(ambassador.port, "PING") == b"+PONG\r\n"
        ask(ambassador.port, "GET", "k")
        assert {route for route, _ in ambassador.reads()} == {"master"}
    env = {"PODMATES_REDIS_CONSISTENCY": "session", "PODMATES_REDIS_CONFIG": str(file)}
    with Ambassador(env=env) as ambassador:
        serves_reads(pair, ambassador)


def test_one_server_alone_is_enough(redis_server: Server) -> None:
    with Ambassador("--servers", redis_server.address) as ambassador:
        assert ask(ambassador.port, "SET", "k", "v") == b"+OK\r\n"
        assert ask(ambassador.port, "GET", "k") == b"$1\r\nv\r\n"
        assert {reason for _, reason in ambassador.reads()} == {"no_replica"}
        stays(lambda: ambassador.get("/readyz").status == 200, 0.5, "readiness")
