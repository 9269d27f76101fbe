"""A new master: writes go on within 3 s of its saying so, on the connections that clients have."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.forwarder import Forwarder
from tests.support.pods import ask, prepare
from tests.support.redis_groups import Sentinels
from tests.support.redis_servers import HOST, Pair
from tests.support.resp import Closed, RawClient, request
from tests.support.secured import SECURED, reached
from tests.support.shared_path import EITHER
from tests.support.waiting import until
from tests.support.writer import Writer, first_after

LIMIT = 3.0  # seconds from the promotion to an acknowledged write
# how soon writes go on is measured; an impatient command would tell of a slow machine instead
PATIENT = ("--master-wait=30s", "--op-timeout=30s", "--failover-wait=30s")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Pair() as pair:
        yield pair


@pytest.fixture(params=[*EITHER, *SECURED])
def ambassador(request: pytest.FixtureRequest, pair: Pair) -> Iterator[Ambassador]:
    flags = (*reached(pair, request.param), *PATIENT, "--on-unknown", "error")
    with Ambassador(*flags, env=request.param) as ambassador:
        prepare(pair, ambassador, "SET k v")
        yield ambassador


@pytest.fixture
def writer(ambassador: Ambassador) -> Iterator[Writer]:
    writer = Writer(ambassador.port)
    writer.start()
    writer.progress()
    yield writer
    writer.end()


def test_a_killed_master_and_a_promoted_replica(pair: Pair, ambassador: Ambassador, writer: Writer) -> None:
    pair.master.kill()
    pair.replica.promote()
    promoted = time.monotonic()
    writer.progress()
    gap = first_after(writer, promoted)
    writer.end()

    assert not writer.closed
    assert gap < LIMIT
    assert not writer.wrong
    for _, number in [row for row in writer.acknowledged if row[0] > promoted]:
        assert ask(pair.replica.port, "GET", f"n{number}") == b"$%d\r\n%d\r\n" % (len(str(number)), number)
    assert ambassador.get("/readyz").status == 200


def test_a_planned_switch_between_living_servers_behind_a_fixed_list(pair: Pair, writer: Writer) -> None:
    """The old master becomes a replica: it refuses writes from then on, which no client is to see."""
    pair.replica.promote()
    pair.master.client().replicaof(HOST, pair.replica.port)
    switched = time.monotonic()
    writer.progress()
    gap = first_after(writer, switched)
    writer.end()

    assert not writer.closed
    assert gap < LIMIT
    assert not writer.errors
    assert pair.replica.calls("set") > 0


def test_failovers_by_command_cost_no_error_and_no_write(pair: Pair, ambassador: Ambassador) -> None:
    """`FAILOVER` lets the replica catch up first, so nothing may be lost; the roles change twice."""
    writers = [Writer(ambassador.port), Writer(ambassador.port, blocks=True)]
    for writer in writers:
        writer.start()
    for old, new in (pair.servers, pair.servers[::-1]):
        for writer in writers:
            writer.progress()
        old.hand_over(new)
        until(lambda new=new: new.info("replication")["role"] == "master", what="the promotion")  # type: ignore[misc]
        old.wait_link()
    for writer in writers:
        writer.progress()
        writer.end()

    assert [(writer.closed, writer.errors, writer.wrong) for writer in writers] == [(False, [], [])] * 2
    for _, number in writers[0].acknowledged:
        assert pair.master.client().get(f"n{number}") == b"%d" % number


def test_nobody_reads_from_the_old_master_what_is_written_to_the_new(
    pair: Pair, ambassador: Ambassador
) -> None:
    """After a planned switch the old master may be far behind, and connections to it are still open."""
    with (
        Forwarder((HOST, pair.replica.port)) as link,
        RawClient(ambassador.port) as writer,
        RawClient(ambassador.port) as reader,
    ):
        for client in (writer, reader):
            client.call("SET", "k", "first")
            assert client.call("GET", "k") == b"$5\r\nfirst\r\n"
        link.freeze()
        pair.replica.promote()
        pair.master.client().replicaof(HOST, link.port)
        for number in range(50):
            assert writer.call("SET", "k", number) == b"+OK\r\n"
            assert reader.call("GET", "k") == b"$%d\r\n%d\r\n" % (len(str(number)), number)


def test_the_old_master_comes_back_as_one_and_gets_no_write(
    pair: Pair, ambassador: Ambassador, writer: Writer
) -> None:
    """Two say that they are the master; the one that clients now write to keeps them."""
    pair.master.kill()
    pair.replica.promote()
    writer.progress()
    pair.master.start()
    with RawClient(ambassador.port) as client:
        for turn in range(200):
            assert client.call("SET", "after", turn) == b"+OK\r\n"
            assert client.call("GET", "after") == b"$%d\r\n%d\r\n" % (len(str(turn)), turn)
    writer.progress()

    assert pair.master.calls("set") == 0
    assert not writer.wrong


def test_sentinels_name_the_new_master(pair: Pair) -> None:
    with Sentinels(pair) as sentinels:
        flags = ("--sentinels", sentinels.addresses, "--sentinel-master", sentinels.name)
        with Ambassador(*flags, "--on-unknown", "error") as ambassador:
            prepare(pair, ambassador, "SET k v")
            writer = Writer(ambassador.port)
            writer.start()
            writer.progress()
            pair.master.kill()
            until(lambda: pair.replica.info("replication")["role"] == "master", what="the promotion")
            promoted = time.monotonic()
            writer.progress()
            gap = first_after(writer, promoted)
            writer.end()

    assert not writer.closed
    assert gap < LIMIT
    assert not writer.wrong


def test_a_write_whose_reply_was_lost_is_not_repeated(pair: Pair) -> None:
    """The master ran it and the link broke before the answer: an error or the end, never a second run."""
    with Forwarder((HOST, pair.master.port)) as link:
        servers = f"{link.address},{pair.replica.address}"
        with Ambassador("--servers", servers) as ambassador, RawClient(ambassador.port) as client:
            prepare(pair, ambassador, "SET count 0")
            client.call("SET", "other", "x")  # its connection to the master is there
            link.mute()
            client.pipeline([("INCR", "count"), ("ECHO", "end")])
            until(lambda: ask(pair.master.port, "GET", "count") == b"$1\r\n1\r\n", what="the run")
            link.drop()
            link.thaw()
            try:
                replies = client.read_many(2)
            except (Closed, ConnectionError):
                replies = [b"-closed", b"$3\r\nend\r\n"]
            until(lambda: ask(ambassador.port, "SET", "x", 1) == b"+OK\r\n", what="writes to go on")

    assert replies[0].startswith(b"-"), replies
    assert replies[1] == b"$3\r\nend\r\n"
    assert ask(pair.master.port, "GET", "count") == b"$1\r\n1\r\n"


def test_a_client_whose_write_may_have_run_is_closed_as_by_a_server_that_died(pair: Pair) -> None:
    """Libraries know what to do then; an error of ours they have never seen."""
    flags = "--servers", pair.addresses, *PATIENT
    with Ambassador(*flags) as ambassador, RawClient(ambassador.port) as client:
        prepare(pair, ambassador, "SET k v")
        with RawClient(ambassador.port) as other:
            other.call("GET", "k")
            client.call("SET", "k", "w")
            pair.master.pause()
            client.send(request("APPEND", "k", "x"))
            until(lambda: b" cmd=append " in other.call("CLIENT", "LIST"), what="the write to be on its way")
            pair.master.kill()
            pair.replica.promote()
            assert client.read_rest() == b""
            assert other.call("SET", "other", "goes on") == b"+OK\r\n"


def test_replies_stay_in_step_when_the_master_dies_in_a_pipeline(pair: Pair, ambassador: Ambassador) -> None:
    """Each command gets one reply, its own, or the connection ends; none is shifted."""
    with RawClient(ambassador.port) as client:
        pair.master.pause()
        words = [f"e{number}" for number in range(50)]
        client.pipeline(
            [part for word in words for part in (("SET", word, word), ("ECHO", word), ("GET", "k"))]
        )
        pair.master.kill()
        pair.replica.promote()
        try:
            for word in words:
                reply = client.read()
                assert reply == b"+OK\r\n" or reply.startswith(b"-"), reply
                assert client.read() == b"$%d\r\n%b\r\n" % (len(word), word.encode())
                reply = client.read()
                assert reply == b"$1\r\nv\r\n" or reply.startswith(b"-"), reply
        except Closed:
            pass


def test_a_transaction_lost_before_its_end_runs_nothing(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        assert client.call("MULTI") == b"+OK\r\n"
        assert client.call("SET", "t", 1) == b"+QUEUED\r\n"
        pair.master.kill()
        pair.replica.promote()
        try:
            reply = client.call("EXEC")
        except (Closed, ConnectionError):
            reply = b"-EXECABORT"
        assert reply.startswith(b"-EXECABORT"), reply
    assert ask(pair.replica.port, "GET", "t") == b"$-1\r\n"


def test_a_watch_does_not_survive_its_master(pair: Pair, ambassador: Ambassador) -> None:
    """The new master knows no watch: a transaction that goes through unguarded would be a lost update."""
    with RawClient(ambassador.port) as client:
        client.call("WATCH", "k")
        pair.master.kill()
        pair.replica.promote()
        until(lambda: ask(ambassador.port, "SET", "k", "foreign") == b"+OK\r\n", what="writes to go on")
        try:
            client.pipeline([("MULTI",), ("SET", "k", "mine"), ("EXEC",)])
            replies = client.read_many(3)
        except (Closed, ConnectionError):
            replies = [b"-closed"]
    assert replies[-1] == b"*-1\r\n" or replies[-1].startswith(b"-"), replies
    assert ask(pair.replica.port, "GET", "k") == b"$7\r\nforeign\r\n"


def test_reads_go_on_without_a_master_and_writes_fail_in_words_clients_know(pair: Pair) -> None:
    with Ambassador("--servers", pair.addresses, "--master-wait", "300ms") as ambassador:
        prepare(pair, ambassador, "SET k v")
        with RawClient(ambassador.port) as client:
            client.call("GET", "k")
            pair.master.kill()
            assert client.call("GET", "k") == b"$1\r\nv\r\n"
            reply = until(lambda: _refusal(client), what="a refusal")
            assert reply.split()[0] in (b"-READONLY", b"-MASTERDOWN"), reply
            until(lambda: ambassador.get("/readyz").status == 503, what="unreadiness")
            assert "master" in ambassador.get("/readyz").body
            for _ in range(20):
                assert client.call("GET", "k") == b"$1\r\nv\r\n"


def _refusal(client: RawClient) -> bytes:
    reply = client.call("SET", "k", "w")
    return b"" if reply.startswith(b"-ERR upstream connection lost") else reply


def test_a_blocked_client_waits_on_at_the_next_master(pair: Pair, ambassador: Ambassador) -> None:
    """It hears nothing of its master's demotion, and gets what comes then."""
    with RawClient(ambassador.port) as blocked:
        blocked.send(request("BLPOP", "q", 0))
        until(lambda: pair.master.info("clients")["blocked_clients"] == 1, what="the block")
        pair.master.hand_over(pair.replica)
        until(lambda: pair.replica.info("clients")["blocked_clients"] == 1, what="the block over there")
        ask(ambassador.port, "RPUSH", "q", "element")
        assert blocked.read() == b"*2\r\n$1\r\nq\r\n$7\r\nelement\r\n"


def test_blocked_and_subscribed_clients_learn_of_the_end_of_their_master(pair: Pair) -> None:
    """A plain server would say UNBLOCKED or close; to wait for ever would be the fault."""
    flags = ("--blocking-failover", "unblock", "--on-unknown", "error")
    with (
        Ambassador("--servers", pair.addresses, *flags) as ambassador,
        RawClient(ambassador.port) as blocked,
        RawClient(ambassador.port) as subscribed,
    ):
        blocked.send(request("BLPOP", "q", 0))
        subscribed.call("SUBSCRIBE", "c")
        until(lambda: pair.master.info("clients")["blocked_clients"] == 1, what="the block")
        pair.master.kill()
        pair.replica.promote()

        assert subscribed.read_rest() == b""
        assert blocked.read().startswith(b"-UNBLOCKED")
