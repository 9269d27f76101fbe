"""A process that may open no more files serves whom it serves, and tells others in a server's words."""

from __future__ import annotations

import contextlib
import os
import resource
import signal

import pytest

from podmates_redis.descriptors import KEPT
from tests.support.ambassador import Ambassador
from tests.support.pods import prepare
from tests.support.processes import run
from tests.support.programs import script
from tests.support.redis_servers import Pair
from tests.support.resp import RawClient
from tests.support.waiting import until

TOO_MANY = b"-ERR max number of clients reached\r\n"
ROOM = 20  # descriptors for clients


def limit(ambassador: Ambassador, room: int) -> None:
    """Leave the process *room* descriptors for clients."""
    pid = ambassador.process.pid
    used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 1 + room + KEPT, used + 1 + room + KEPT))


def answer(client: RawClient, *words: str) -> bytes:
    """Return the reply, also of who is turned away before it has asked."""
    with contextlib.suppress(ConnectionError):
        client.pipeline([words])
    return client.read()


def test_without_descriptors_one_more_client_is_told_so_and_the_others_are_served(redis_pair: Pair) -> None:
    with Ambassador("--servers", redis_pair.addresses) as ambassador, contextlib.ExitStack() as stack:
        prepare(redis_pair, ambassador, "SET k v")
        limit(ambassador, ROOM)
        ambassador.process.send(signal.SIGSTOP)  # so that all come at once
        clients = [stack.enter_context(RawClient(ambassador.port)) for _ in range(4 * ROOM)]
        ambassador.process.send(signal.SIGCONT)
        replies = [answer(client, "PING") for client in clients]
        served = [client for client, reply in zip(clients, replies, strict=True) if reply == b"+PONG\r\n"]
        assert ROOM <= len(served) < ROOM + 8 and set(replies) == {b"+PONG\r\n", TOO_MANY}

        assert {answer(client, "PING") for client in served} == {b"+PONG\r\n"}
        assert ambassador.get("/readyz").status == 200
        rejected = ambassador.metric("redis_ambassador_clients_rejected_total")[()]
        assert rejected == 4 * ROOM - len(served)
        for client in clients:
            client.close()

        def served_again() -> bool:
            with RawClient(ambassador.port) as client:
                return answer(client, "SET", "k", "w") == b"+OK\r\n"

        until(served_again, what="one to be served", ignoring=(ConnectionError,))
        assert "Traceback" not in ambassador.process.output


def test_without_descriptors_for_servers_a_client_is_told_so_and_none_is_blamed(
    redis_pair: Pair,
) -> None:
    """Who shares connections needs none of its own."""
    flags = ("--servers", redis_pair.addresses, "--master-wait", "300ms", "--shared-path", "off")
    with Ambassador(*flags) as ambassador, contextlib.ExitStack() as stack:
        prepare(redis_pair, ambassador, "SET k v")
        limit(ambassador, ROOM)
        clients = [stack.enter_context(RawClient(ambassador.port)) for _ in range(ROOM - 4)]
        assert {answer(client, "PING") for client in clients} == {b"+PONG\r\n"}
        replies = [answer(client, "SET", "k", "v") for client in clients]
        assert set(replies) == {b"+OK\r\n", TOO_MANY}
        first = clients[replies.index(b"+OK\r\n")]
        assert answer(first, "SET", "k", "w") == b"+OK\r\n"

        ejected = ambassador.metric("redis_ambassador_upstream_ejected")
        assert not any(ejected.values())
        assert not any(ambassador.metric("redis_ambassador_upstream_failures").values())
        assert ambassador.get("/readyz").status == 200


@pytest.mark.parametrize(("clients", "warns"), [("100", False), ("1000000", True)])
def test_the_limit_is_raised_to_what_clients_need(redis_pair: Pair, clients: str, warns: bool) -> None:
    with Ambassador("--servers", redis_pair.addresses, "--max-clients", clients) as ambassador:
        soft, hard = resource.prlimit(ambassador.process.pid, resource.RLIMIT_NOFILE)
        assert hard < 3_000_000
        assert soft == hard if warns else soft >= 300 + KEPT
        assert ("clients can be served, not 1000000" in ambassador.process.output) == warns


@pytest.mark.parametrize(("limit", "serves"), [(64, False), (KEPT + 2, False), (KEPT + 40, True)])
def test_who_can_serve_nobody_says_at_the_start_what_that_takes(
    redis_pair: Pair, limit: int, serves: bool
) -> None:
    prefix = ("/bin/sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh")
    if serves:
        with Ambassador("--servers", redis_pair.addresses, prefix=prefix) as ambassador:
            ambassador.process.wait_line(f"with {limit} descriptors some 13 clients can be served, not 10000")
            with RawClient(ambassador.port) as client:
                assert client.call("PING") == b"+PONG\r\n"
        return
    done = run([*prefix, script("podmates-redis"), "run", "--servers", redis_pair.addresses])
    assert done.status == 1
    words = f"with {limit} descriptors (ulimit -n) no client can be served: one needs {KEPT + 3}"
    assert words in done.stderr
    assert "max_clients = 10000 needs 30128" in done.stderr
    assert "Traceback" not in done.stderr
