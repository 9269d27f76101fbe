"""Pairs, sentinels and clusters are what they claim to be, on whatever server this machine has."""

from __future__ import annotations

import pytest

from tests.support import redis_groups, redis_servers
from tests.support.programs import embedded_server, redis_server
from tests.support.redis_groups import Cluster, Sentinels
from tests.support.redis_servers import Pair, Server, raw
from tests.support.waiting import stays, until


@pytest.fixture(params=["found", "embedded"])
def any_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with the server that tests use here, once with the embedded one."""
    argv = {"found": redis_server(), "embedded": [str(embedded_server())]}[request.param]
    for module in (redis_servers, redis_groups):
        monkeypatch.setattr(module, "redis_server", lambda: argv)


@pytest.mark.usefixtures("any_server")
def test_a_write_reaches_the_replica_unless_its_link_is_frozen() -> None:
    with Pair(forwarded=True) as pair:
        pair.master.client().set("k", "old")
        pair.settle()
        assert pair.replica.client().get("k") == b"old"
        pair.links[0].freeze()
        pair.master.client().set("k", "new")

        stays(lambda: pair.replica.client().get("k") == b"old", 0.2, "the old value")
        pair.links[0].thaw()
        until(lambda: pair.replica.client().get("k") == b"new", what="the new value")


def test_a_killed_server_starts_again_on_its_port() -> None:
    with Server() as server:
        server.client().set("k", "v")
        server.kill()
        server.start()

        assert server.client().get("k") is None


@pytest.mark.usefixtures("any_server")
def test_sentinels_promote_a_replica_of_a_killed_master() -> None:
    with Pair() as pair, Sentinels(pair) as sentinels:
        assert sentinels.master() == ("127.0.0.1", pair.master.port)
        pair.master.kill()

        until(lambda: sentinels.master() == ("127.0.0.1", pair.replica.port), what="the switch")
        until(lambda: pair.replica.info("replication")["role"] == "master", what="the promotion")


@pytest.mark.usefixtures("any_server")
def test_a_cluster_serves_all_slots_with_a_replica_for_each_master() -> None:
    with Cluster() as cluster:
        assert b"cluster_slots_ok:16384" in raw(cluster.masters[0].port, "CLUSTER", "INFO")
        assert [server.info("replication")["role"] for server in cluster.replicas] == ["slave"] * 3
