"""What the ambassador holds for its clients is bounded, whatever they send and however slowly they read."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.ambassador import Ambassador
from tests.support.memory import peak
from tests.support.pods import ask, prepare, serves_reads
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient
from tests.support.waiting import until

MEBIBYTE = 1 << 20
ALLOWED = 64 * MEBIBYTE  # growth while some hundred MiB of replies are owed
# for one of many clients: the rest of a reply that has begun, and what either path keeps before it stops
KEPT = 2 * MEBIBYTE + 2 * MEBIBYTE // 4
# By the processor's clock: the server's own stands still while a script runs.
BUSY = "local enough = os.clock() + 2; while os.clock() < enough do end; return 1"


@pytest.fixture(scope="module")
def ambassador(redis_pair: Pair) -> Iterator[Ambassador]:
    with Ambassador(
        "--servers", redis_pair.addresses, "--op-timeout", "0"
    ) as ambassador:  # scripts take long
        yield ambassador


@pytest.fixture
def big(redis_pair: Pair, ambassador: Ambassador) -> Ambassador:
    """The ambassador, with a key of 1 MiB that the replica serves."""
    prepare(redis_pair, ambassador, "SET k v")
    ask(redis_pair.master.port, "SET", "big", b"x" * MEBIBYTE)
    ask(redis_pair.master.port, "CONFIG", "SET", "lua-time-limit", 60_000)  # or others get -BUSY after 5 s
    redis_pair.settle()
    serves_reads(redis_pair, ambassador)
    return ambassador


def test_replies_that_are_not_read_stay_with_the_server(big: Ambassador) -> None:
    before = peak(big.process.pid)
    with RawClient(big.port) as lazy, RawClient(big.port) as other:
        lazy.pipeline([("GET", "big")] * 300)
        until(lambda: big.metric("redis_ambassador_commands_total"), what="a metric")
        for _ in range(50):
            assert other.call("GET", "k") == b"$1\r\nv\r\n"
        for _ in range(300):
            assert len(lazy.read()) == MEBIBYTE + len(b"$1048576\r\n\r\n")

    assert peak(big.process.pid) - before < ALLOWED


def test_clients_that_do_not_read_take_little_together(big: Ambassador) -> None:
    """Forty of them are owed 400 MiB; the rest of it stays with the servers.

    How much of it the kernel takes, so that less is kept here, is the machine's affair.
    """
    before = peak(big.process.pid)
    with contextlib.ExitStack() as stack:
        lazy = [stack.enter_context(RawClient(big.port)) for _ in range(40)]
        for client in lazy:
            client.pipeline([("GET", "big")] * 10)
        with RawClient(big.port) as other:
            until(lambda: other.call("GET", "k") == b"$1\r\nv\r\n", what="another's turn")
        for client in lazy:
            assert all(len(client.read()) > MEBIBYTE for _ in range(10))

    assert peak(big.process.pid) - before < len(lazy) * KEPT


def test_a_client_may_send_all_before_it_reads_any(big: Ambassador) -> None:
    """40 MiB of requests, and as much of replies, are more than sockets hold."""
    with RawClient(big.port) as client:
        client.call("SET", "kept", b"x" * 2000)
        client.pipeline([("SET", "kept", b"x" * 2000, "GET")] * 20_000)
        for _ in range(20_000):
            assert len(client.read()) == 2000 + len(b"$2000\r\n\r\n")


def test_whoever_takes_most_goes_when_all_take_too_much(redis_pair: Pair) -> None:
    with (
        Ambassador("--servers", redis_pair.addresses, "--max-memory", "1MiB") as ambassador,
        RawClient(ambassador.port) as greedy,
        RawClient(ambassador.port) as other,
    ):
        assert other.call("SET", "k", "v") == b"+OK\r\n"
        with contextlib.suppress(OSError):  # closed while it sends
            greedy.send(b"*2\r\n$3\r\nGET\r\n$100000000\r\n" + b"k" * (60 * MEBIBYTE))
        with pytest.raises((OSError, AssertionError)):
            greedy.read()
        assert other.call("GET", "k") == b"$1\r\nv\r\n"
        closed = ambassador.metric("redis_ambassador_clients_closed_total")
        assert closed[(("reason", "memory"),)] == 1
        assert ambassador.metric("redis_ambassador_clients_memory_bytes")[()] < MEBIBYTE


def test_replies_that_must_wait_are_not_hoarded(redis_pair: Pair, big: Ambassador) -> None:
    """The replica answers at once what stands behind a reply of a busy master."""
    before = peak(big.process.pid)
    with RawClient(big.port) as client:
        client.call("GET", "big")
        client.call("INCR", "count")
        busy = threading.Thread(target=ask, args=(redis_pair.master.port, "EVAL", BUSY, 0))
        busy.start()
        client.pipeline([("INCR", "count"), *[("GET", "big")] * 300])
        assert client.read() == b":2\r\n"
        for _ in range(300):
            assert len(client.read()) == MEBIBYTE + len(b"$1048576\r\n\r\n")
        busy.join(30)

    assert peak(big.process.pid) - before < ALLOWED


def test_large_values_are_never_held_whole(redis_pair: Pair) -> None:
    """Four clients send 32 MiB each at once, and read them slowly; half of one would be more than is free."""
    value = bytes(range(256)) * (32 * MEBIBYTE // 256)
    with Ambassador("--servers", redis_pair.addresses, "--max-memory", "1MiB") as ambassador:
        ask(ambassador.port, "PING")
        before = peak(ambassador.process.pid)

        def store_and_read(number: int) -> bool:
            with RawClient(ambassador.port, timeout=120) as client:
                stored = client.call("SET", f"large:{number}", value) == b"+OK\r\n"
                same = client.call("GET", f"large:{number}") == b"$%d\r\n%b\r\n" % (len(value), value)
                return stored and same and client.call("DEL", f"large:{number}") == b":1\r\n"

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(store_and_read, range(4)))
        assert peak(ambassador.process.pid) - before < 16 * MEBIBYTE


def test_one_more_with_connections_of_its_own_waits_for_its_turn(redis_pair: Pair) -> None:
    alone = ("--servers", redis_pair.addresses, "--shared-path", "off")
    flags = (*alone, "--max-dedicated", "1", "--pool-wait")
    with Ambassador(*flags, "200ms") as ambassador, RawClient(ambassador.port) as first:
        assert first.call("SET", "k", "v") == b"+OK\r\n"
        with RawClient(ambassador.port) as second:
            assert second.call("GET", "k") == b"-ERR max number of clients reached\r\n"
            assert second.call("PING") == b"+PONG\r\n"
    with Ambassador(*flags, "60s") as ambassador, RawClient(ambassador.port) as second:
        with RawClient(ambassador.port) as first:
            assert first.call("SET", "k", "v") == b"+OK\r\n"
            second.pipeline([("INCR", "turns"), ("GET", "k")])
        assert second.read().startswith(b":") and second.read() == b"$1\r\nv\r\n"


def test_what_waits_for_a_master_is_bounded() -> None:
    flags = ("--servers", "127.0.0.1:1", "--max-pending", "5", "--startup-wait", "60s")
    with Ambassador(*flags) as ambassador, RawClient(ambassador.port) as first:
        first.pipeline([("SET", "k", "v")] * 5)
        until(
            lambda: ambassador.metric("redis_ambassador_pending_commands") == {(): 5.0}, what="five to wait"
        )
        with RawClient(ambassador.port) as second:
            assert second.call("SET", "k", "v") == b"-ERR ambassador overloaded\r\n"
            assert second.call("PING") == b"+PONG\r\n"
