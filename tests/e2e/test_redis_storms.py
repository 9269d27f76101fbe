"""Servers that take no more connections, or none: what is connected goes on, and nobody storms them."""

from __future__ import annotations

from tests.support.ambassador import Ambassador
from tests.support.forwarder import Forwarder
from tests.support.redis_servers import HOST, Server
from tests.support.resp import RawClient
from tests.support.shared_path import PURE
from tests.support.waiting import pause, until

ALONE = PURE  # every client has its own connection, so that a server can be full


def test_a_server_that_is_full_serves_those_it_has_and_says_so_to_others() -> None:
    with (
        Server() as server,
        Ambassador("--servers", server.address, "--master-wait", "300ms", env=ALONE) as ambassador,
        RawClient(ambassador.port) as early,
        RawClient(ambassador.port) as late,
    ):
        until(lambda: early.call("SET", "k", "v") == b"+OK\r\n", what="the first to be served")
        admin = server.client()
        admin.config_set("maxclients", admin.info("clients")["connected_clients"])
        full = b"-ERR max number of clients reached\r\n"
        # what a server says before it closes may be lost on the way, to every client of it
        until(lambda: late.call("SET", "k", "w") == full, what="the server's own words")
        assert early.call("GET", "k") == b"$1\r\nv\r\n"
        admin.config_set("maxclients", 1000)
        until(lambda: late.call("SET", "k", "x") == b"+OK\r\n", what="its turn")


def test_a_server_that_ends_every_connection_is_not_stormed() -> None:
    """Thirty clients want one at once; each by itself would have tried ten times a second."""
    with (
        Server() as server,
        Forwarder((HOST, server.port)) as link,
        Ambassador("--servers", link.address, "--master-wait", "60s", "--op-timeout", "0") as ambassador,
    ):
        clients = [RawClient(ambassador.port) for _ in range(30)]
        try:
            assert clients[0].call("SET", "k", "v") == b"+OK\r\n"
            link.target = (HOST, 1)  # nobody listens there, so that each connection ends at once
            link.drop()
            before = link.accepted
            for client in clients[1:]:
                client.pipeline([("SET", "k", "w")])
            pause(3)
            tried = link.accepted - before
            link.target = (HOST, server.port)
            assert [client.read() for client in clients[1:]] == [b"+OK\r\n"] * 29
            assert tried < 100, tried
        finally:
            for client in clients:
                client.close()
