"""A cluster by TLS, with its own users, under other settings, with a replica sent away, and to the end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_redis_admin_actions import TOKEN, post
from tests.e2e.test_redis_reload import Configured
from tests.support.ambassador import Ambassador
from tests.support.certificates import Authority
from tests.support.programs import need
from tests.support.redis_groups import Cluster
from tests.support.redis_servers import Server
from tests.support.resp import RawClient, request
from tests.support.waiting import until

NAMES = ("a", "b", "c")  # of three shards


def fill(client: RawClient) -> None:
    for name in NAMES:
        assert client.call("SET", name, name) == b"+OK\r\n"


def all_read(client: RawClient, replicas: list[Server]) -> None:
    """Wait until each of *replicas* has answered a read of *client*."""
    before = [replica.calls("get") for replica in replicas]

    def read() -> bool:
        for name in NAMES:
            assert client.call("GET", name) == b"$1\r\n%b\r\n" % name.encode()
        return all(replica.calls("get") > n for replica, n in zip(replicas, before, strict=True))

    until(read, what="the replicas to be read")


def test_all_shards_are_reached_by_tls(tmp_path: Path) -> None:
    need("redis-server", "redis-server")  # the embedded server of the wheel has no TLS
    authority = Authority(tmp_path)
    node, ours = authority.issue("node"), authority.issue("ours")
    ca = ("--tls-ca-cert-file", str(authority.file))
    tls = (*ca, "--tls-cert-file", str(node.file), "--tls-key-file", str(node.key))
    flags = ("--tls", "--tls-ca-file", str(authority.file))
    mine = ("--tls-cert-file", str(ours.file), "--tls-key-file", str(ours.key))
    with (
        Cluster(tls=tls) as cluster,
        Ambassador("--cluster", cluster.addresses, *flags, *mine) as ambassador,
        RawClient(ambassador.port) as client,
    ):
        ambassador.wait_readyz()
        fill(client)
        all_read(client, cluster.replicas)
        for server, port in zip(cluster.servers, cluster.ports, strict=True):
            lines = [line for line in server.client().client_list() if line["cmd"] == "get"]
            assert {int(line["laddr"].rpartition(":")[2]) for line in lines} <= {port}
            assert lines or server in cluster.masters


@pytest.fixture
def users(cluster: Cluster) -> Iterator[None]:
    """Two users: bob may do anything, eve what is about keys that begin with e."""
    for server in cluster.servers:
        client = server.client()
        client.execute_command("ACL", "SETUSER", "bob", "on", ">secret", "~*", "&*", "+@all")
        client.execute_command("ACL", "SETUSER", "eve", "on", ">hush", "~e*", "&*", "+@all", "-flushall")
    yield
    for server in cluster.servers:
        server.client().execute_command("ACL", "DELUSER", "bob", "eve")


def test_clients_are_at_every_shard_who_they_say(cluster: Cluster, users: None) -> None:
    with Ambassador("--cluster", cluster.addresses, "--auth", "passthrough") as ambassador:
        ambassador.wait_readyz()
        with RawClient(ambassador.port) as bob, RawClient(ambassador.port) as eve:
            assert bob.call("AUTH", "bob", "wrong").startswith(b"-WRONGPASS")
            assert bob.call("AUTH", "bob", "secret") == b"+OK\r\n"
            fill(bob)
            assert bob.call("ACL", "WHOAMI") == b"$3\r\nbob\r\n"
            all_read(bob, cluster.replicas)
            eve.pipeline([("AUTH", "eve", "hush"), *(("GET", name) for name in NAMES)])
            assert eve.read() == b"+OK\r\n"
            assert {reply.partition(b" ")[0] for reply in eve.read_many(3)} == {b"-NOPERM"}
            for number in range(6):  # of all shards
                eve.call("SET", f"e{number}", 1)
                assert eve.call("GET", f"e{number}") == b"$1\r\n1\r\n"
            assert eve.call("FLUSHALL").startswith(b"-NOPERM")
            eve.pipeline([("WATCH", "e1"), ("MULTI",), ("INCR", "e1"), ("EXEC",)])
            assert eve.read_many(4)[3] == b"*1\r\n:2\r\n"
            assert bob.call("DBSIZE") == b":9\r\n"
            assert eve.call("RESET") == b"+RESET\r\n"
            assert bob.call("FLUSHALL") == b"+OK\r\n"


def test_other_settings_are_taken_up_at_every_shard(cluster: Cluster, tmp_path: Path) -> None:
    seeds = cluster.addresses
    configured = Configured(tmp_path, cluster=seeds)
    with configured.ambassador as ambassador, RawClient(ambassador.port) as client:
        ambassador.wait_readyz()
        fill(client)
        all_read(client, cluster.replicas)
        configured.reload(cluster=seeds, consistency="strict")
        before = [replica.calls("get") for replica in cluster.replicas]
        for _ in range(10):
            for name in NAMES:
                assert client.call("GET", name) == b"$1\r\n%b\r\n" % name.encode()
        assert [replica.calls("get") for replica in cluster.replicas] == before
        configured.reload(cluster=seeds, route="GET=deny")
        assert {client.call("GET", name).partition(b" ")[0] for name in NAMES} == {b"-NOPERM"}


def test_a_replica_is_sent_away_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    env = {"PODMATES_REDIS_ADMIN_TOKEN_FILE": str(tmp_path / "token")}
    with (
        Ambassador("--cluster", cluster.addresses, env=env) as ambassador,
        RawClient(ambassador.port) as client,
    ):
        ambassador.wait_readyz()
        fill(client)
        all_read(client, cluster.replicas)
        away, *others = cluster.replicas
        assert post(ambassador, f"/nodes/{cluster.masters[0].address}/eject")[0] == 409
        assert post(ambassador, f"/nodes/{away.address}/eject") == (200, {"ejected": [away.address]})
        until(lambda: unread(client, away), what="the replica to be left alone")
        all_read(client, others)
        assert post(ambassador, f"/nodes/{away.address}/admit")[0] == 200
        all_read(client, cluster.replicas)


def unread(client: RawClient, replica: Server) -> bool:
    """Tell whether ten rounds of reads leave *replica* alone."""
    before = replica.calls("get")
    for _ in range(10):
        for name in NAMES:
            client.call("GET", name)
    return replica.calls("get") == before


def test_what_is_on_its_way_to_any_shard_is_answered_before_the_end(cluster: Cluster) -> None:
    with Ambassador("--cluster", cluster.addresses, "--op-timeout", "0") as ambassador:
        ambassador.wait_readyz()
        with (
            RawClient(ambassador.port) as idle,
            RawClient(ambassador.port) as busy,
            RawClient(ambassador.port) as waiting,
        ):
            idle.call("PING")
            fill(busy)
            waiting.send(request("BLPOP", "nothing", 0))
            stalled = next(master for master in cluster.masters if master.client().dbsize())
            name = stalled.client().randomkey()
            with stalled.stalled():
                busy.send(request("APPEND", name, "x"))
                sent = "redis_ambassador_upstream_in_flight"
                until(lambda: ambassador.total(sent) >= 2, what="both to be on their way")
                ambassador.process.send(signal.SIGTERM)
                assert idle.read_rest() == b""
            assert busy.read() == b":2\r\n"
            assert waiting.read_rest() == b""
            assert ambassador.process.wait() == 0
