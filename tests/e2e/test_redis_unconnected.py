"""What clients say when they connect is answered without a connection to the master, and without a master."""

from __future__ import annotations

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import serves_reads
from tests.support.redis_servers import Pair
from tests.support.redis_twins import Twins
from tests.support.redis_versions import VERSIONS, Bench
from tests.support.resp import RawClient

ALIKE = """
    a: HELLO 3 SETNAME me
    a: CLIENT SETINFO LIB-NAME x
    a: SELECT 3
    b: SELECT 15
    b: HELLO
    c: CLIENT SETNAME x
    c: HELLO 2
    d: HELLO 3
    a: CLIENT LIST
    a: SELECT 16
    b: SELECT 16
    b: HELLO 4
    c: CLIENT SETNAME a\x01
    c: HELLO 3 SETNAME a\x01
    d: SELECT x
    a: CLIENT LIST
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_makes_of_its_connection_what_a_server_would(version: str) -> None:
    with Bench(version, "--shared-path", "off") as made:
        twins = Twins(made.plain.port, made.ambassador.port, ordered=version.startswith("redis"))
        try:
            serves_reads(made.pair, made.ambassador)  # it has learnt what the master is
            twins.compare("e: CLIENT ID x")
            before = made.pair.master.info("stats")["total_connections_received"]
            with RawClient(made.ambassador.port) as client:
                client.pipeline([("HELLO", 3, "SETNAME", "me"), ("SELECT", 3), ("CLIENT", "SETNAME", "you")])
                assert [reply[:1] for reply in client.read_many(3)] == [b"%", b"+", b"+"]
                after = made.pair.master.info("stats")["total_connections_received"]
                assert after - before == 1  # the question itself
                assert client.call("SET", "k", "3") == b"+OK\r\n"
            assert made.pair.master.client(database=3).get("k") == b"3"
            twins.compare(ALIKE)
        finally:
            twins.close()


def test_clients_connect_and_read_while_there_is_no_master() -> None:
    with Pair() as pair, Ambassador("--servers", pair.addresses) as ambassador:
        pair.master.client(database=3).set("k", "v")
        pair.settle()
        serves_reads(pair, ambassador)
        pair.master.kill()
        with RawClient(ambassador.port) as client:
            client.pipeline(
                [("HELLO", 3, "SETNAME", "me"), ("SELECT", 3), ("CLIENT", "GETNAME"), ("GET", "k")]
            )
            replies = client.read_many(4)

        assert replies[0].startswith(b"%7\r\n")
        assert replies[1] == b"+OK\r\n"
        assert replies[3] == b"$1\r\nv\r\n"
