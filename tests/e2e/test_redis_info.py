"""INFO is the master's, but for one section that is the ambassador's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.pods import ask, prepare
from tests.support.redis_versions import VERSIONS, Bench, bench
from tests.support.resp import RawClient, Word, request
from tests.support.waiting import until


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request.param)


@pytest.mark.parametrize(
    "words", [("INFO",), ("INFO", "server"), ("INFO", "replication"), ("info", "keyspace")]
)
def test_info_is_the_masters(version: Bench, words: tuple[Word, ...]) -> None:
    ours, theirs = (names(ask(port, *words)) for port in (version.ambassador.port, version.pair.master.port))

    assert ours == theirs
    assert b"Ambassador" not in ask(version.ambassador.port, *words)


def names(reply: bytes) -> list[bytes]:
    """Return what does not change by itself: titles, names of fields, and the identity of the server."""
    found = []
    for line in reply.split(b"\r\n")[1:]:
        name = line.partition(b":")[0]
        identity = name in (b"run_id", b"tcp_port", b"redis_version", b"server_name", b"role", b"redis_mode")
        if not name.startswith((b"cmdstat", b"errorstat", b"latency_percentiles", b"db")):
            found.append(line if identity else name)
    return found


def test_who_waits_for_the_end_of_a_pause_is_told_as_by_a_server(version: Bench) -> None:
    assert paused(version.ambassador.port) == paused(version.plain.port)


def paused(port: int) -> list[dict[bytes, bytes]]:
    """Return what INFO says while two clients wait, inside a transaction too, and after that."""
    with RawClient(port) as one, RawClient(port) as other, RawClient(port, protocol=3) as looking:
        assert looking.call("CLIENT", "PAUSE", 100_000, "WRITE") == b"+OK\r\n"
        one.send(request("SET", "k", "v"))
        other.send(request("INCR", "n"))
        until(lambda: waits(looking.call("INFO"))[b"blocked_clients"] == b"2", what="two to wait")
        found = [waits(looking.call("INFO", "clients"))]
        assert (looking.call("MULTI"), looking.call("INFO")) == (b"+OK\r\n", b"+QUEUED\r\n")
        found.append(waits(looking.call("EXEC")))
        assert looking.call("CLIENT", "UNPAUSE") == b"+OK\r\n"
        assert (one.read()[:1], other.read()[:1]) == (b"+", b":")
        return [*found, waits(looking.call("INFO", "clients"))]


def waits(reply: bytes) -> dict[bytes, bytes]:
    """Return what INFO says of who waits and why."""
    facts = dict(line.split(b":", 1) for line in reply.split(b"\r\n") if b":" in line)
    names = b"blocked_clients", b"paused_reason", b"paused_actions"
    return {name: facts[name] for name in names if name in facts}


def test_one_section_is_ours(version: Bench) -> None:
    prepare(version.pair, version.ambassador, "SET k v")
    with RawClient(version.ambassador.port) as client:
        client.call("GET", "k")
        text = client.call("INFO", "Ambassador")
        client.call("HELLO", 3)
        third = client.call("INFO", "ambassador")

    head, _, body = text.partition(b"\r\n")
    assert int(head[1:]) == len(body) - 2
    facts = dict(line.split(b":", 1) for line in body.split(b"\r\n") if b":" in line)
    assert body.startswith(b"# Ambassador\r\n")
    assert facts[b"master"] == version.pair.master.address.encode()
    assert facts[b"replicas"] == version.pair.replica.address.encode()
    assert facts[b"consistency"] == b"session"
    assert int(facts[b"clients"]) >= 1
    assert int(facts[b"reads_replica"]) >= 1
    assert third.startswith(b"=") and third.partition(b"\r\n")[2].startswith(b"txt:# Ambassador\r\n")


def test_it_is_told_where_a_server_would_tell(version: Bench) -> None:
    with RawClient(version.ambassador.port) as client:
        client.call("SUBSCRIBE", "c")
        assert client.call("INFO", "ambassador").startswith(b"-ERR Can't execute 'info'")
        client.call("UNSUBSCRIBE")
        client.pipeline([("HELLO", "3"), ("INFO", "ambassador"), ("PING",)])
        replies = client.read_many(3)

    assert [reply[:1] for reply in replies] == [b"%", b"=", b"+"]
