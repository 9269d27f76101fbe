"""Servers that are slow, silent or gone: every command is answered in time, and what may wait does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.forwarder import Forwarder
from tests.support.pods import ask, prepare
from tests.support.redis_servers import HOST, Pair
from tests.support.resp import RawClient, request
from tests.support.waiting import until

TIMED_OUT = b"-ERR upstream timeout\r\n"
SOON = 20.0  # seconds in which a loaded machine has done what should take half a second


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(options=("--enable-debug-command", "yes")) as pair:
        yield pair


@pytest.fixture
def ambassador(pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    flags = getattr(request, "param", ("--op-timeout", "500ms"))
    with Ambassador("--servers", pair.addresses, "--admin-commands", "allow", *flags) as ambassador:
        prepare(pair, ambassador, "SET k v")
        yield ambassador


def test_a_silent_master_costs_each_command_its_time_and_no_reply_is_shifted(
    pair: Pair, ambassador: Ambassador
) -> None:
    with RawClient(ambassador.port) as client:
        client.call("SET", "k", "v")
        with pair.master.stalled():
            began = time.monotonic()
            client.pipeline([("SET", "a", 1), ("ECHO", "one"), ("INCR", "n"), ("ECHO", "two")])
            assert client.read_many(4) == [TIMED_OUT, b"$3\r\none\r\n", TIMED_OUT, b"$3\r\ntwo\r\n"]
            assert 0.4 < time.monotonic() - began < SOON
        until(lambda: client.call("SET", "a", "after") == b"+OK\r\n", what="writes to go on")
        assert in_time(client, "GET", "a") == b"$5\r\nafter\r\n"


def in_time(client: RawClient, *words: str | float) -> bytes:
    """Return the reply of a server that runs; a busy machine may cost the first ones their time."""

    def reply() -> bytes:
        found = client.call(*words)
        return b"" if found == TIMED_OUT else found

    return until(reply, what=f"an answer to {words[0]} in time")


def test_a_long_command_is_cut_short_and_delays_its_client_only_so_far(
    pair: Pair, ambassador: Ambassador
) -> None:
    with RawClient(ambassador.port) as client:
        assert in_time(client, "DEBUG", "SLEEP", 0.1) == b"+OK\r\n"
        assert client.call("DEBUG", "SLEEP", 2) == TIMED_OUT
        until(lambda: client.call("SET", "a", 1) == b"+OK\r\n", what="writes to go on")


@pytest.mark.parametrize("ambassador", [("--op-timeout", "0")], indirect=True)
def test_a_long_command_has_any_time_when_there_is_no_limit(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client:
        assert client.call("DEBUG", "SLEEP", 1.2) == b"+OK\r\n"


def test_reads_at_a_silent_replica_are_answered_by_the_master_in_time(pair: Pair) -> None:
    """Only the connections of clients are silent: the ambassador's own questions are answered."""
    with (
        Forwarder((HOST, pair.replica.port)) as link,
        Ambassador("--servers", f"{pair.master.address},{link.address}", "--op-timeout", "9s") as ambassador,
        RawClient(ambassador.port) as client,
    ):
        prepare(pair, ambassador, "SET k v")
        until(lambda: client.call("GET", "k") and ("replica", "") in ambassador.reads(), what="the replica")
        link.freeze()
        client.pipeline([("GET", "k"), ("GET", "k"), ("GET", "other")])
        assert client.read_many(3) == [b"$1\r\nv\r\n", b"$1\r\nv\r\n", b"$-1\r\n"]
        link.thaw()


def test_what_may_wait_waits_longer_than_any_command(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as listener:
        listener.call("SUBSCRIBE", "c")
        client.pipeline([("BLPOP", "q", 1.5), ("GET", "k"), ("WAIT", 9, 1200), ("GET", "k")])
        assert client.read_many(4)[::2] == [b"*-1\r\n", b":1\r\n"]
        assert in_time(client, "PUBLISH", "c", "m") == b":1\r\n"
        assert b"message" in listener.read()


@pytest.mark.parametrize("ambassador", [("--op-timeout", "3s")], indirect=True)
def test_a_client_that_reads_slowly_has_itself_to_blame_and_is_not_cut_off(
    pair: Pair, ambassador: Ambassador
) -> None:
    value = b"x" * (32 << 20)
    ask(pair.master.port, "SET", "big", value)
    pair.settle()
    with RawClient(ambassador.port) as client:
        client.pipeline([("GET", "big"), ("GET", "k")])
        late = time.monotonic() + 3.5
        until(lambda: time.monotonic() > late, what="more than the time of a command")
        assert client.read() == b"$%d\r\n%b\r\n" % (len(value), value)
        assert client.read() == b"$1\r\nv\r\n"
    ask(pair.master.port, "DEL", "big")


@pytest.mark.parametrize("ambassador", [("--idle-transaction-timeout", "3s")], indirect=True)
def test_an_idle_transaction_gives_its_connection_back(pair: Pair, ambassador: Ambassador) -> None:
    with RawClient(ambassador.port) as client, RawClient(ambassador.port) as watcher:
        watcher.call("WATCH", "k")
        client.call("MULTI")
        client.call("SET", "t", 1)
        here = {each["addr"] for each in pair.master.client().client_list() if each["multi"] != "-1"}
        assert here
        until(
            lambda: not here & {each["addr"] for each in pair.master.client().client_list()},
            what="the end of its connection",
        )
        assert client.call("EXEC").startswith(b"-EXECABORT")
        assert client.call("GET", "t") == b"$-1\r\n"
        watcher.pipeline([("MULTI",), ("SET", "t", 2), ("EXEC",), ("GET", "t")])
        assert watcher.read_many(4)[2:] == [b"*-1\r\n", b"$-1\r\n"]
        client.pipeline([("MULTI",), ("SET", "t", 3), ("EXEC",)])
        assert client.read_many(3)[2] == b"*1\r\n+OK\r\n"


@pytest.mark.parametrize("ambassador", [("--client-idle-timeout", "3s")], indirect=True)
def test_an_idle_client_is_closed_and_one_that_waits_is_not(pair: Pair, ambassador: Ambassador) -> None:
    with (
        RawClient(ambassador.port) as idle,
        RawClient(ambassador.port) as blocked,
        RawClient(ambassador.port) as listener,
    ):
        listener.call("SUBSCRIBE", "c")
        blocked.send(request("BLPOP", "q", 0))
        idle.call("GET", "k")
        assert idle.read_rest() == b""
        assert ask(ambassador.port, "PUBLISH", "c", "m") == b":1\r\n"
        assert ask(ambassador.port, "LPUSH", "q", "e") == b":1\r\n"
        assert b"message" in listener.read()
        assert blocked.read() == b"*2\r\n$1\r\nq\r\n$1\r\ne\r\n"


@pytest.mark.parametrize("way", ["error", "close"])
def test_a_client_whose_command_may_have_run_is_told_so_or_closed(pair: Pair, way: str) -> None:
    with (
        Forwarder((HOST, pair.master.port)) as link,
        Ambassador("--servers", link.address, "--on-unknown", way) as ambassador,
        RawClient(ambassador.port) as client,
    ):
        client.call("SET", "a", 1)
        link.mute()
        client.send(request("INCR", "a"))
        until(lambda: ask(pair.master.port, "GET", "a") == b"$1\r\n2\r\n", what="the run")
        link.drop()
        lost = b"-ERR upstream connection lost before the reply, the command may have run\r\n"
        assert (client.read() if way == "error" else client.read_rest()) == (lost if way == "error" else b"")
