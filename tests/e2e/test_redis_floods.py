"""In a container of 96 MiB the ambassador survives what slow clients are owed, as much as there is of it.

SOAK=1 reads as slowly as a bad link, 1 MB a second.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.support.ambassador import Ambassador
from tests.support.memory import MemoryGroup, peak
from tests.support.pods import ask, prepare, serves_reads
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, Word, request
from tests.support.secured import SECURED, reached
from tests.support.shared_path import FORMS, SHARED, compiled
from tests.support.waiting import pause, until

SOAK = os.environ.get("SOAK") == "1"
MEBIBYTE = 1 << 20
CONTAINER = 96 * MEBIBYTE
LARGE = 64 * MEBIBYTE
RATE = 1_000_000 if SOAK else 60_000_000  # bytes a second that a slow client takes
WORD = 16 * 1024  # bytes of each message, key or value of a flood
FLOOD = 1500  # of them: more than sockets and the limit below hold
LIMITS = "client-output-buffer-limit"
STRICT = "normal 4mb 0 0 pubsub 4mb 0 0"
NONE = "normal 0 0 0 pubsub 0 0 0"


@dataclass
class Small:
    """An ambassador in little memory, before a pair of servers."""

    ambassador: Ambassador
    group: MemoryGroup
    pair: Pair

    @property
    def port(self) -> int:
        return self.ambassador.port

    def survives(self) -> None:
        """Raises AssertionError if it has had more memory than it may."""
        assert self.group.kills() == 0
        assert self.ambassador.process.returncode is None, self.ambassador.process.output
        assert peak(self.ambassador.process.pid) < self.group.limit
        assert ask(self.port, "SET", "k", "v") == b"+OK\r\n"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


@contextlib.contextmanager
def little(pair: Pair, form: dict[str, str]) -> Iterator[Small]:
    with MemoryGroup(CONTAINER) as group:
        # where no group can be made the limit is told, as it is found out otherwise
        told = () if group.limited else ("--max-memory", f"{CONTAINER * 6 // 10}B")
        flags = (*reached(pair, form), *told)
        with Ambassador(*flags, env=form, prefix=group.prefix) as ambassador:
            prepare(pair, ambassador, "SET k v")
            yield Small(ambassador, group, pair)


@pytest.fixture(scope="module", params=FORMS)
def small(request: pytest.FixtureRequest, pair: Pair) -> Iterator[Small]:
    if request.param == SHARED:
        compiled()
    with little(pair, request.param) as found:
        yield found


class Slow(RawClient):
    """A client whose kernel takes little for it."""

    def __init__(self, port: int, *, protocol: int = 2) -> None:
        super().__init__(port, protocol=protocol, timeout=20)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)

    def take(self, size: int) -> bytes:
        """Return *size* bytes, read at RATE."""
        found = bytearray()
        while len(found) < size:
            part = self.socket.recv(min(MEBIBYTE, size - len(found)))
            assert part, f"the end after {len(found)} bytes"
            found += part
            pause(len(part) / RATE)
        return bytes(found)


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


def test_a_large_value_passes_to_slow_readers(small: Small) -> None:
    value = os.urandom(MEBIBYTE) * (LARGE // MEBIBYTE)
    with RawClient(small.port, timeout=20) as writer, RawClient(small.port) as other:
        assert writer.call("SET", "large", value) == b"+OK\r\n"
        small.pair.settle()
        serves_reads(small.pair, small.ambassador)
        readers = [Slow(small.port), Slow(small.port, protocol=3)]
        found: dict[int, bool] = {}

        def read(number: int) -> None:
            readers[number].send(request("GET", "large"))
            found[number] = readers[number].take(len(bulk(value))) == bulk(value)

        threads = [threading.Thread(target=read, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            assert other.call("SET", "k", "v") == b"+OK\r\n"
            assert other.call("GET", "k") == b"$1\r\nv\r\n"
            pause(0.01)
        assert found == {0: True, 1: True}
        for reader in readers:
            reader.close()
        assert writer.call("DEL", "large") == b":1\r\n"
    small.survives()


@pytest.mark.parametrize("form", SECURED)
def test_a_large_value_passes_by_tls(pair: Pair, form: dict[str, str]) -> None:
    with little(pair, form) as small:
        test_a_large_value_passes_to_slow_readers(small)


def test_large_messages_pass_to_slow_subscribers(small: Small) -> None:
    """Four of them are owed 96 MiB."""
    message = os.urandom(MEBIBYTE) * 24
    subscribers = [Slow(small.port, protocol=protocol) for protocol in (2, 3, 2, 3)]
    for subscriber in subscribers:
        subscriber.call("SUBSCRIBE", "large")
    assert ask(small.pair.master.port, "PUBLISH", "large", message) == b":4\r\n"
    assert ask(small.pair.master.port, "PUBLISH", "large", b"end") == b":4\r\n"

    told = b"3\r\n$7\r\nmessage\r\n$5\r\nlarge\r\n"
    wanted = told + bulk(message)
    for subscriber, kind in zip(subscribers, (b"*", b">", b"*", b">"), strict=True):
        assert subscriber.take(len(wanted) + 1) == kind + wanted
        assert subscriber.read() == kind + told + bulk(b"end")
        subscriber.close()
    small.survives()


def test_what_is_owed_to_who_has_left_is_not_kept(small: Small) -> None:
    """A hundred of them were owed 3 GiB, behind a write that has to be seen through."""
    assert ask(small.pair.master.port, "SET", "big", b"x" * MEBIBYTE) == b"+OK\r\n"
    small.pair.settle()
    for number in range(100):
        with Slow(small.port) as client:
            client.pipeline([("SET", "left", number), *[("GET", "big")] * 30])
            client.read()
    until(lambda: ask(small.port, "GET", "left") == b"$2\r\n99\r\n", what="the last write")
    small.survives()


Begin = Callable[[RawClient], object]


def subscribe(client: RawClient) -> None:
    client.call("SUBSCRIBE", "flood")


def monitor(client: RawClient) -> None:
    assert client.call("MONITOR") == b"+OK\r\n"


def track(client: RawClient) -> None:
    assert client.call("HELLO", 3).startswith(b"%")
    assert client.call("CLIENT", "TRACKING", "ON", "BCAST") == b"+OK\r\n"


def publication(number: int) -> tuple[Word, ...]:
    return "PUBLISH", "flood", b"%05d " % number * (WORD // 6)


def change(number: int) -> tuple[Word, ...]:
    return "SET", b"%05d " % number * (WORD // 6), ""


FLOODS: dict[str, tuple[Begin, Callable[[int], tuple[Word, ...]]]] = {
    "messages": (subscribe, publication),
    "monitored commands": (monitor, change),
    "changed keys": (track, change),
}
each = pytest.mark.parametrize(("begin", "make"), FLOODS.values(), ids=FLOODS.keys())


def flood(small: Small, make: Callable[[int], tuple[Word, ...]]) -> None:
    with RawClient(small.pair.master.port, timeout=20) as master:
        for start in range(0, FLOOD, 100):
            master.pipeline([make(number) for number in range(start, start + 100)])
            master.read_many(100)


def limit(small: Small, words: str) -> None:
    assert ask(small.pair.master.port, "CONFIG", "SET", LIMITS, words) == b"+OK\r\n"


@each
def test_who_takes_no_flood_is_closed_as_the_server_says(
    small: Small, begin: Begin, make: Callable[[int], tuple[Word, ...]]
) -> None:
    limit(small, STRICT)
    with Slow(small.port) as slow, Slow(small.pair.master.port) as direct, RawClient(small.port) as other:
        for client in (slow, direct):
            begin(client)
        flood(small, make)
        assert other.call("SET", "k", "v") == b"+OK\r\n"
        for client in (direct, slow):
            assert len(client.read_rest()) < FLOOD * WORD
    small.survives()


@each
def test_who_takes_a_flood_late_gets_all_of_it_where_the_server_keeps_it(
    small: Small, begin: Begin, make: Callable[[int], tuple[Word, ...]]
) -> None:
    limit(small, NONE)
    with Slow(small.port) as slow, Slow(small.pair.master.port) as direct:
        for client in (slow, direct):
            begin(client)
        flood(small, make)
        assert numbers(direct) == list(range(FLOOD))
        assert numbers(slow) == list(range(FLOOD))
    small.survives()


def numbers(client: RawClient) -> list[int]:
    """Return the numbers in what comes before the answer to a PING, each as often as it was told of."""
    client.send(request("PING"))
    found = bytearray()
    while not re.search(rb"PONG\r\n", found[-WORD:], re.IGNORECASE):  # a monitor hears of more behind it
        part = client.socket.recv(MEBIBYTE)
        assert part, f"the end after {len(found)} bytes"
        found += part
    return [int(number) for number in re.findall(rb"(\d{5}) (?:\1 )+", found)]
