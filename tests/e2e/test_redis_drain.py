"""The end of the ambassador: unready, what is on its way answered, who waits kept as long as that takes."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator

import pytest

from tests.support.ambassador import Ambassador
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import script
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient, request
from tests.support.secured import SECURED, reached
from tests.support.shared_path import FORMS
from tests.support.waiting import until


@pytest.fixture(params=[*FORMS, *SECURED])
def ambassador(redis_pair: Pair, request: pytest.FixtureRequest) -> Iterator[Ambassador]:
    flags = (*reached(redis_pair, request.param), "--op-timeout", "0")
    with Ambassador(*flags, env=request.param) as ambassador:
        yield ambassador


def refuses(port: int) -> bool:
    try:
        RawClient(port).close()
    except ConnectionRefusedError:
        return True
    return False


def test_it_serves_on_for_the_delay_and_is_unready_meanwhile(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses, "--drain-delay", "60s") as ambassador:
        ambassador.wait_readyz()
        ambassador.process.send(signal.SIGTERM)
        until(lambda: ambassador.get("/readyz").status == 503, what="unreadiness")
        assert "draining" in ambassador.get("/readyz").body
        assert ambassador.get("/livez").status == 200
        with RawClient(ambassador.port) as client:
            assert client.call("SET", "k", "v") == b"+OK\r\n"
            start = time.monotonic()
            ambassador.process.stop(signal.SIGTERM)
            assert time.monotonic() - start < 30


def test_a_delay_ends_by_itself(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses, "--drain-delay", "300ms") as ambassador:
        start = time.monotonic()
        assert ambassador.process.stop() == 0
        assert time.monotonic() - start > 0.3


def test_who_waits_is_kept_while_others_are_answered(ambassador: Ambassador, redis_pair: Pair) -> None:
    with (
        RawClient(ambassador.port) as subscriber,
        RawClient(ambassador.port) as blocked,
        RawClient(ambassador.port) as idle,
        RawClient(ambassador.port) as writer,
    ):
        subscriber.call("SUBSCRIBE", "news")
        blocked.send(request("BLPOP", "jobs", 0))
        idle.call("PING")
        writer.call("SET", "k", "v")
        until(lambda: redis_pair.master.info("clients")["blocked_clients"] == 1, what="the block")
        with redis_pair.master.stalled():
            writer.pipeline([("RPUSH", "jobs", "one"), ("PUBLISH", "news", "told")])
            until(lambda: _in_flight(ambassador) >= 2, what="the writes to be sent")
            ambassador.process.send(signal.SIGTERM)
            assert idle.read_rest() == b""
            until(lambda: refuses(ambassador.port), what="newcomers to be refused")
        assert writer.read_many(2) == [b":1\r\n", b":1\r\n"]
        assert blocked.read() == b"*2\r\n$4\r\njobs\r\n$3\r\none\r\n"
        assert subscriber.read() == b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\ntold\r\n"
        for client in (writer, blocked, subscriber):
            assert client.read_rest() == b""
        assert ambassador.process.wait() == 0


def _in_flight(ambassador: Ambassador) -> float:
    return ambassador.total("redis_ambassador_upstream_in_flight")


def test_what_never_ends_is_cut_when_the_time_is_up(redis_pair: Pair) -> None:
    flags = ("--servers", redis_pair.addresses, "--op-timeout", "0", "--drain-timeout", "500ms")
    with Ambassador(*flags) as ambassador, RawClient(ambassador.port) as client:
        client.call("SET", "k", "v")
        with redis_pair.master.stalled():
            client.send(request("SET", "k", "w"))
            until(lambda: _in_flight(ambassador) >= 1, what="the write to be sent")
            start = time.monotonic()
            assert ambassador.process.stop() == 0
            assert 0.5 < time.monotonic() - start < 20
        assert client.read_rest() == b""


def test_who_goes_on_sending_does_not_hold_up_the_end(ambassador: Ambassador, redis_pair: Pair) -> None:
    """Its pipeline is never empty, since the server is slow."""
    command = request("EVAL", "local n = 0; for i = 1, 1e7 do n = n + 1 end; return n", 0)
    with RawClient(ambassador.port) as client:
        client.call("WATCH", "k")  # so that it keeps its connection: none can be made to who stalls
        with redis_pair.master.stalled():
            client.send(command)
            until(lambda: _in_flight(ambassador) >= 1, what="the first to be sent")
            client.send(command)  # by itself, so that a server answers by itself
        assert client.read() == b":10000000\r\n"
        ambassador.process.send(signal.SIGTERM)
        ambassador.process.wait_line("draining")
        answered = 0
        with contextlib.suppress(OSError):
            while answered < 50:
                client.send(command)
                client.read()
                answered += 1
        assert answered <= 2  # what had come before
        assert ambassador.process.wait() == 0


def test_without_a_master_in_time_it_ends_if_that_is_wanted() -> None:
    argv = [script("podmates-redis"), "--servers", f"127.0.0.1:{free_port()}", "--listen", "127.0.0.1:0"]
    flags = ("--admin-listen", "", "--fail-fast", "--startup-wait", "500ms")
    with Process([*argv, *flags]) as process:
        assert process.wait(60) == 3
    assert "Traceback" not in process.output
    assert "no server has said that it is the master" in process.output


def test_with_a_master_in_time_it_stays(redis_pair: Pair) -> None:
    flags = ("--servers", redis_pair.addresses, "--fail-fast", "--startup-wait", "4s")
    with Ambassador(*flags) as ambassador, RawClient(ambassador.port) as client:
        assert client.call("SET", "k", "v") == b"+OK\r\n"
        until(
            lambda: ambassador.total("redis_ambassador_loop_lag_seconds_count") >= 6,
            what="more than that time",
        )
        assert client.call("SET", "k", "v") == b"+OK\r\n"


def test_it_may_be_ready_without_a_master() -> None:
    flags = ("--servers", f"127.0.0.1:{free_port()}", "--ready-without-master")
    with Ambassador(*flags, ready=False) as ambassador:
        until(lambda: "no server says" in ambassador.get("/readyz").body, what="the reason")
        assert ambassador.get("/readyz").status == 200
