"""What the ambassador holds for its clients is bounded, whatever they send and however slowly they read."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import ask, prepare, serves_reads
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient
from tests.support.waiting import until

MEBIBYTE = 1 << 20
ALLOWED = 64 * MEBIBYTE  # growth while some hundred MiB of replies are owed
# By the processor's clock: the server's own stands still while a script runs.
BUSY = "local enough = os.clock() + 2; while os.clock() < enough do end; return 1"


@pytest.fixture(scope="module")
def ambassador(redis_pair: Pair) -> Iterator[Ambassador]:
    with Ambassador("--servers", redis_pair.addresses) as ambassador:
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


def peak(ambassador: Ambassador) -> int:
    """Return the most memory that the process has had, bytes."""
    status = Path(f"/proc/{ambassador.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def test_replies_that_are_not_read_stay_with_the_server(big: Ambassador) -> None:
    before = peak(big)
    with RawClient(big.port) as lazy, RawClient(big.port) as other:
        lazy.pipeline([("GET", "big")] * 300)
        until(lambda: big.metric("redis_ambassador_commands_total"), what="a metric")
        for _ in range(50):
            assert other.call("GET", "k") == b"$1\r\nv\r\n"
        for _ in range(300):
            assert len(lazy.read()) == MEBIBYTE + len(b"$1048576\r\n\r\n")

    assert peak(big) - before < ALLOWED


def test_replies_that_must_wait_are_not_hoarded(redis_pair: Pair, big: Ambassador) -> None:
    """The replica answers at once what stands behind a reply of a busy master."""
    before = peak(big)
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

    assert peak(big) - before < ALLOWED
