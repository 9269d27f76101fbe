"""What is learnt of a master is of that master: another one of another age is learnt anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.redis_servers import HOST, Server
from tests.support.redis_versions import program
from tests.support.resp import RawClient
from tests.support.waiting import until

# each is answered otherwise by Redis 6.2 and by 7.0, and here in the server's place
ASKED = (
    ("HELLO",),
    ("CLIENT", "NO-EVICT", "on"),
    ("CLIENT", "INFO"),
    ("CLIENT", "FOO"),
    ("COMMAND", "COUNT"),
    ("EXPIRETIME", "k"),
    ("HELLO", "2", "SETNAME"),
    ("CLIENT", "SETINFO", "lib-name", "x"),
)


@pytest.fixture
def servers() -> Iterator[tuple[Server, Server]]:
    with Server(program=program("redis-6.2")) as old, Server(program=program("redis-7.0")) as new:
        new.follow(HOST, old.port)
        yield old, new


def shapes(port: int) -> list[bytes]:
    """Return the replies to `ASKED`, of a line about a client only what its fields are called."""
    with RawClient(port) as client:
        replies = [client.call(*words) for words in ASKED]
    replies[0] = replies[0].partition(b"\r\nid\r\n")[0]
    if replies[2][:1] == b"$":
        fields = replies[2].split(b"\r\n", 1)[1].split()
        replies[2] = b" ".join(field.partition(b"=")[0] for field in fields)
    return replies


def test_a_new_master_is_learnt_anew(servers: tuple[Server, Server]) -> None:
    old, new = servers
    with Ambassador("--servers", f"{old.address},{new.address}") as ambassador:
        assert shapes(ambassador.port) == shapes(old.port)
        with RawClient(ambassador.port) as standing:
            assert standing.call("SET", "k", "v") == b"+OK\r\n"
            old.hand_over(new)
            until(lambda: ambassador.metric("redis_ambassador_failovers_total")[()] == 1.0, what="the switch")
            until(lambda: b"7.0" in standing.call("HELLO"), what="the new master to be learnt")
            assert standing.call("CLIENT", "NO-EVICT", "on") == b"+OK\r\n"
        assert shapes(ambassador.port) == shapes(new.port) != shapes(old.port)
