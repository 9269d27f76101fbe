"""To clients the ambassador is one plain server: the same random streams get the same replies from both."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.pods import serves_reads
from tests.support.redis_replies import Comparer, unlike
from tests.support.redis_servers import Pair, Server
from tests.support.redis_streams import DATA, READS, Generator
from tests.support.redis_versions import VERSIONS, Bench
from tests.support.resp import Command, RawClient, request
from tests.support.secured import SECURED, reached
from tests.support.shared_path import FORMS

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6) if SOAK else 31))
PROTOCOLS = (2, 3, 2, 3)  # of the clients of a run


class Twin:
    """A client of the plain server and one of the ambassador that are told the same."""

    def __init__(self, plain: int, ours: int, protocol: int) -> None:
        self.clients = RawClient(plain, protocol=protocol), RawClient(ours, protocol=protocol)
        self._comparer = Comparer()

    def exchange(self, batch: list[Command], cut: float) -> list[str]:
        """Send *batch* to both, in two pieces cut at that share of it; return how the replies differ."""
        data = b"".join(request(*command) for command in batch)
        where = int(cut * len(data))
        for client in self.clients:
            client.send(data[:where])
            client.send(data[where:])
        faults = []
        for index, command in enumerate(batch):
            one, other = (client.read() for client in self.clients)
            if self._comparer.differs(command, one, other):
                before = [_short(earlier) for earlier in batch[max(0, index - 3) : index]]
                faults.append(f"{_short(command)}: {one[:300]!r} became {other[:300]!r}, after {before}")
        return faults

    def close(self) -> None:
        for client in self.clients:
            client.close()


def _short(command: Command) -> str:
    return " ".join(repr(word)[:40] for word in command)


def run(generator: Generator, twins: list[Twin], batches: int) -> None:
    """Let the clients take turns over the next *batches* batches of the stream, on the same keys."""
    draw = generator.random
    for number in range(batches):
        twin = draw.randrange(len(twins))
        faults = twins[twin].exchange(generator.batch(), draw.choice((1.0, 1.0, draw.random())))
        assert not faults, f"seed {generator.seed}, batch {number}, client {twin}:\n" + "\n".join(faults[:5])


@pytest.fixture
def twins(redis_server: Server, ambassador: Ambassador) -> Iterator[list[Twin]]:
    both = [Twin(redis_server.port, ambassador.port, protocol) for protocol in PROTOCOLS]
    both[0].exchange([("FLUSHALL",), ("SCRIPT", "FLUSH")], 1)
    yield both
    for twin in both:
        twin.close()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(forwarded=True) as pair:
        yield pair


@pytest.fixture(scope="module", params=[*FORMS, *SECURED])
def ambassador(pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    with Ambassador(*reached(pair, request.param), env=request.param) as ambassador:
        yield ambassador


@pytest.mark.parametrize("seed", range(1, 5))
def test_clients_that_take_turns_get_the_replies_of_a_plain_server(twins: list[Twin], seed: int) -> None:
    run(Generator(seed), twins, 120)


@pytest.mark.parametrize("seed", [11, 12])
def test_also_while_the_replica_lags(twins: list[Twin], pair: Pair, seed: int) -> None:
    pair.links[0].delay(20)
    try:
        run(Generator(seed), twins, 120)
    finally:
        pair.links[0].delay(0)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_also_where_replicas_answer(twins: list[Twin], pair: Pair, ambassador: Ambassador, seed: int) -> None:
    """No scripts, and pauses in which the replica catches up: then it answers most reads."""
    generator = Generator(seed, (*DATA, "states"))
    before = reads_at(pair.replica)
    for _ in range(15):
        run(generator, twins, 6)
        pair.settle()
        serves_reads(pair, ambassador)
        for number, twin in enumerate(twins):
            faults = twin.exchange(generator.reads(40), 1)
            assert not faults, f"seed {seed}, client {number}:\n" + "\n".join(faults[:5])

    assert reads_at(pair.replica) - before > 0.7 * 15 * len(twins) * 40


@pytest.mark.parametrize("version", VERSIONS)
def test_on_every_version(version: str) -> None:
    with Bench(version) as bench, contextlib.ExitStack() as stack:
        twins = [Twin(bench.plain.port, bench.ambassador.port, protocol) for protocol in PROTOCOLS]
        for twin in twins:
            stack.callback(twin.close)
        run(Generator(SEED), twins, 2000 if SOAK else 80)


def reads_at(server: Server) -> int:
    """Return how many commands clients have had executed that only read."""
    return server.calls(*(name.lower() for name in READS))


def test_clients_at_the_same_time_each_get_their_own_replies(ambassador: Ambassador) -> None:
    """Eight clients pipeline on keys of their own; a shifted or foreign reply would show."""
    faults: list[str] = []

    def work(number: int) -> None:
        draw = random.Random(number)
        with RawClient(ambassador.port, protocol=2 + number % 2) as client:
            for _ in range(30):
                names = [f"c{number}:{draw.randrange(5)}" for _ in range(draw.choice((1, 10, 200)))]
                commands: list[Command] = [
                    command
                    for name in names
                    for command in (("SET", name, name * 3), ("GET", name), ("ECHO", name))
                ]
                client.pipeline(commands)
                for name in names:
                    wanted = [b"+OK\r\n", b"$%d\r\n%b\r\n" % (3 * len(name), name.encode() * 3)]
                    wanted.append(b"$%d\r\n%b\r\n" % (len(name), name.encode()))
                    got = client.read_many(3)
                    if got != wanted:
                        faults.append(f"client {number}: {wanted} became {got}")
                        return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not faults
    assert not any(thread.is_alive() for thread in threads)


def test_both_sides_hold_the_same_in_the_end(twins: list[Twin], pair: Pair) -> None:
    run(Generator(99), twins, 100)
    pair.settle()
    plain, ours = twins[0].clients
    for client in (plain, ours):
        client.call("RESET")
    for database in range(3):
        for client in (plain, ours):
            client.call("SELECT", database)
        keys = plain.call("KEYS", "*")
        assert not unlike(("KEYS", "*"), keys, ours.call("KEYS", "*"))
        for letter in "shltzxgn":
            for key in (f"{letter}:{index}" for index in range(4)):
                for command in _contents(key):
                    assert not unlike(command, plain.call(*command), ours.call(*command)), command


def _contents(key: str) -> list[Command]:
    """Return commands that read all of the value of *key*; those for other types answer with an error."""
    reads = ("GET", "HGETALL", "SMEMBERS", "PEXPIRETIME")
    ranges = (("LRANGE", key, 0, -1), ("ZRANGE", key, 0, -1, "WITHSCORES"), ("XRANGE", key, "-", "+"))
    return [*((name, key) for name in reads), *ranges]
