"""Three sentinels, a master and two replicas: switches, crashes, a broken network, and sentinels that lie."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.ambassador import Ambassador
from tests.support.lying_sentinel import LyingSentinel
from tests.support.pods import ask, serves_reads
from tests.support.redis_groups import Sentinels
from tests.support.redis_servers import HOST, Pair, Server, raw
from tests.support.resp import RawClient
from tests.support.waiting import until
from tests.support.writer import Writer, first_after


class Group(NamedTuple):
    pair: Pair
    sentinels: Sentinels

    def flags(self, *more: str) -> tuple[str, ...]:
        addresses = ",".join([*more, self.sentinels.addresses])
        return ("--sentinels", addresses, "--sentinel-master", self.sentinels.name)

    def now(self) -> Server:
        """Return the server that the sentinels call the master, once it says so too."""
        port = self.sentinels.master()[1]
        server = next(server for server in self.pair.servers if server.port == port)
        until(lambda: server.info("replication")["role"] == "master", what="the master to say so")
        return server


# a writer keeps its connection, and has time
KEPT = ("--on-unknown", "error", "--master-wait", "30s", "--op-timeout", "60s", "--failover-wait", "60s")


@pytest.fixture
def group() -> Iterator[Group]:
    with Pair(2) as pair, Sentinels(pair, 3) as sentinels:
        yield Group(pair, sentinels)


@contextlib.contextmanager
def writing(ambassador: Ambassador, *, blocks: bool = False) -> Iterator[Writer]:
    writer = Writer(ambassador.port, blocks=blocks)
    writer.start()
    try:
        writer.progress()
        yield writer
    finally:
        writer.end()


def unexplained(writer: Writer, gone: float, new: Server) -> list[str]:
    """Return the wrong reads but those of a write that the old master acknowledged before it was *gone*.

    Such a one is on no other server, so it is lost, as with any client of those servers.
    """
    on_its_way = 0.5  # seconds; nobody is promoted that soon
    lost = {f"n{number}" for when, number in writer.acknowledged if when <= gone + on_its_way}
    return [told for told in writer.wrong if (key := told.split()[0]) not in lost or new.client().exists(key)]


def writes_as_master(server: Server) -> int:
    """Return how many writes *server* has executed, which still says that it is a master."""
    state = server.client().info("everything")  # one look: a replica executes its master's writes
    assert state["role"] == "master"
    return int(state.get("cmdstat_set", {}).get("calls", 0))


def switched(group: Group, old: Server) -> Server:
    """Wait until the sentinels name another master than *old*, and return it."""
    until(lambda: group.sentinels.master()[1] != old.port, 60, what="a failover")
    return group.now()


def test_a_planned_failover_shows_nowhere(group: Group) -> None:
    """The old master takes writes until it is told, which is later: none may go there, none may fail."""
    old = group.pair.master
    with (
        Ambassador(*group.flags(), *KEPT) as ambassador,
        writing(ambassador) as single,
        writing(ambassador, blocks=True) as blocks,
    ):
        serves_reads(group.pair, ambassador)
        group.sentinels.failover()
        new = switched(group, old)
        for writer in (single, blocks):
            writer.progress()
            writer.end()

        assert [(w.closed, w.errors, w.wrong) for w in (single, blocks)] == [(False, [], [])] * 2
        assert ask(ambassador.port, "SET", "last", 1) == b"+OK\r\n"
        assert new.client().get("last") == b"1"


def test_a_killed_master_is_replaced_and_forgotten_by_nobody(group: Group) -> None:
    old = group.pair.master
    with (
        Ambassador(*group.flags(), *KEPT) as ambassador,
        writing(ambassador) as writer,
    ):
        old.kill()
        gone = time.monotonic()
        new = switched(group, old)
        moment = time.monotonic()
        writer.progress()
        gap = first_after(writer, moment) if writer.acknowledged[-1][0] > moment else 0.0
        old.start()  # as a master, until a sentinel has told it otherwise
        writer.progress()
        stray = writes_as_master(old)
        writer.end()
        assert unexplained(writer, gone, new) == []

    assert not writer.closed
    assert gap < 3.0
    assert len(writer.errors) <= 1, writer.errors  # the one that was on its way
    assert stray == 0
    assert new.calls("set") > 0


@pytest.fixture
def told() -> Iterator[tuple[Pair, LyingSentinel]]:
    """A master and a replica, and what stands for a sentinel of theirs and says what it is told."""
    with Pair(1) as pair, LyingSentinel("mymaster", pair.master.port, epoch=1) as sentinel:
        sentinel.replicas = [pair.replica.port]
        yield pair, sentinel


def test_a_killed_master_that_is_back_with_old_data_gets_nothing(told: tuple[Pair, LyingSentinel]) -> None:
    """A replica is promoted already, but the sentinels name the old one still, which says it is a master."""
    pair, sentinel = told
    old, new = pair.master, pair.replica
    with Ambassador("--sentinels", sentinel.address, "--sentinel-master", sentinel.name, *KEPT) as ambassador:
        assert ask(ambassador.port, "SET", "k", "old") == b"+OK\r\n"
        old.client().save()
        assert ask(ambassador.port, "SET", "k", "new") == b"+OK\r\n"
        pair.settle()
        sentinel.flags = "master,s_down,o_down,failover_in_progress"
        old.kill()
        new.client().replicaof("NO", "ONE")
        old.start()
        assert old.client().get("k") == b"old"
        until(lambda: "started anew" in ambassador.get("/readyz").body, what="the old one to be seen")
        with RawClient(ambassador.port) as client:
            client.pipeline([("SET", "k", "newer")])
            sentinel.named, sentinel.epoch, sentinel.flags = new.port, 2, "master"
            sentinel.replicas = [old.port]
            assert client.read() == b"+OK\r\n"
        assert ask(ambassador.port, "GET", "k") == b"$5\r\nnewer\r\n"
        assert (old.calls("get", "set"), new.client().get("k")) == (1, b"newer")


def test_a_master_that_is_started_anew_and_not_replaced_stays_one(told: tuple[Pair, LyingSentinel]) -> None:
    pair, sentinel = told
    with Ambassador("--sentinels", sentinel.address, "--sentinel-master", sentinel.name, *KEPT) as ambassador:
        assert ask(ambassador.port, "SET", "k", "v") == b"+OK\r\n"
        sentinel.flags = "master,s_down,o_down"
        pair.master.kill()
        pair.master.start()
        until(lambda: "started anew" in ambassador.get("/readyz").body, what="it to be seen")
        sentinel.flags = "master"
        assert ask(ambassador.port, "SET", "k", "v") == b"+OK\r\n"
        assert pair.master.calls("set") == 1


def test_a_master_cut_off_and_back_gets_no_write(group: Group) -> None:
    """It was only frozen: it wakes up as a master, with all its connections, and says so for a while."""
    old = group.pair.master
    with (
        Ambassador(*group.flags(), *KEPT) as ambassador,
        writing(ambassador) as writer,
    ):
        old.pause()
        gone = time.monotonic()
        new = switched(group, old)
        writer.progress()
        old.resume()
        before = writes_as_master(old)
        writer.progress()
        after = writes_as_master(old)
        writer.end()

        assert after - before <= 1  # what it had received while it was frozen
        assert unexplained(writer, gone, new) == []
    assert not writer.closed


def test_sentinels_that_vanish_and_others_that_come(group: Group) -> None:
    """One of the settings is enough; it tells of the others, and those that die are not asked for ever."""
    first = f"{HOST}:{group.sentinels.ports[0]}"
    name = group.sentinels.name
    with Ambassador("--sentinels", first, "--sentinel-master", name) as ambassador:
        serves_reads(group.pair, ambassador)

        def up() -> dict[str, float]:
            found = ambassador.metric("redis_ambassador_sentinel_up")
            return {dict(labels)["node"]: value for labels, value in found.items()}

        until(lambda: list(up().values()) == [1.0] * 3, what="all to be found")
        gone = f"{HOST}:{group.sentinels.ports[2]}"
        group.sentinels.processes[2].close()
        until(lambda: gone not in up(), 60, what="the dead one to be dropped")
        for process in group.sentinels.processes[:2]:
            process.close()
        until(lambda: not any(up().values()), what="all to be gone")
        assert "sentinels: none answers (" in ambassador.get("/readyz").body
        assert ask(ambassador.port, "SET", "k", "v") == b"+OK\r\n"
        serves_reads(group.pair, ambassador)
        assert ambassador.get("/readyz").status == 200


def test_a_sentinel_that_lies_is_not_believed(group: Group) -> None:
    """It names a server that is a master indeed, of nobody, in a configuration newer than any."""
    with (
        Server() as decoy,
        LyingSentinel(group.sentinels.name, decoy.port, epoch=999) as liar,
        Ambassador(*group.flags(liar.address), "--master-wait", "30s", "--op-timeout", "60s") as ambassador,
        writing(ambassador) as writer,
    ):
        prepare_reads(group, ambassador)
        liar.tell(
            f"+switch-master {group.sentinels.name} {HOST} {group.pair.master.port} {HOST} {decoy.port}"
        )
        writer.progress()
        group.pair.master.kill()
        gone = time.monotonic()
        new = switched(group, group.pair.master)
        writer.progress()
        writer.end()

        assert liar.asked > 0
        assert decoy.calls("set", "get") == 0
        assert unexplained(writer, gone, new) == []


def prepare_reads(group: Group, ambassador: Ambassador) -> None:
    until(lambda: raw(ambassador.port, "SET", "k", "v") == b"OK", what="a write")
    serves_reads(group.pair, ambassador)
