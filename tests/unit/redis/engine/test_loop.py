"""The loop on real sockets, before a real master and replica."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support.redis_servers import HOST, Pair
from tests.support.waiting import until
from tests.unit.redis.engine.rig import OK, say
from tests.unit.redis.engine.serving import Serving, receive, serving


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair() as found:
        yield found


def test_reads_come_from_the_replica_and_writes_are_seen(pair: Pair) -> None:
    with serving(pair) as subject:
        client = subject.client()
        before = pair.replica.calls("get")
        client.sendall(say("SET", "seen", "1") + say("GET", "seen") + say("GET", "other"))
        assert receive(client, 17) == OK + b"$1\r\n1\r\n$-1\r\n"
        subject.prove()
        client.sendall(say("GET", "seen"))
        assert receive(client, 7) == b"$1\r\n1\r\n"
        assert pair.replica.calls("get") == before + 2


def talk(subject: Serving, seed: int, wrong: list[Any]) -> None:
    """Random pipelines in random pieces; the replies must be what a dict says."""
    chosen, client, store = random.Random(seed), subject.client(), dict[bytes, bytes]()
    for _ in range(15):
        out = expected = b""
        for _ in range(chosen.choice((1, 3, 50, 300))):
            key, kind = b"t%d:%d" % (seed, chosen.randrange(20)), chosen.random()
            held = store.get(key)
            answer = b"$-1\r\n" if held is None else b"$%d\r\n%b\r\n" % (len(held), held)
            if kind < 0.4:
                store[key] = bytes(chosen.choices(b"ab\r\n", k=chosen.choice((0, 1, 64, 3000))))
                out += say(chosen.choice(("SET", "set")), key, store[key])
                expected += OK
            elif kind < 0.9:
                out += say("GET", key)
                expected += answer
            elif kind < 0.95:
                out += say("MGET", key, key)
                expected += b"*2\r\n" + answer * 2
            elif kind < 0.97:
                out += say("MULTI") + say("SET", key, "t") + say("GET", key) + say("EXEC")
                expected += OK + b"+QUEUED\r\n" * 2 + b"*2\r\n+OK\r\n$1\r\nt\r\n"
                store[key] = b"t"
            else:
                out += say("PING") + say("GET", key, "more")
                expected += b"+PONG\r\n-ERR wrong number of arguments for 'get' command\r\n"
        sender = threading.Thread(target=send_in_pieces, args=(client, out, chosen.randrange(1 << 30)))
        sender.start()
        got = receive(client, len(expected))
        sender.join()
        if got != expected:
            at = next((i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), len(got))
            wrong.append((seed, at, got[max(at - 60, 0) : at + 60], expected[max(at - 60, 0) : at + 60]))
            return


def arrived(descriptor: int) -> bytes:
    """Return what has come since, as whoever owns a client now would read it."""
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


def send_in_pieces(client: socket.socket, data: bytes, seed: int) -> None:
    chosen, place = random.Random(seed), 0
    while place < len(data):
        size = chosen.choice((1, 7, 100, 5000, 100000))
        client.sendall(data[place : place + size])
        place += size


def test_many_clients_at_once_hear_what_is_theirs(pair: Pair) -> None:
    pair.master.client().flushall()
    with serving(pair) as subject:
        wrong: list[Any] = []
        clients = [threading.Thread(target=talk, args=(subject, seed, wrong)) for seed in range(6)]
        over = threading.Event()

        def keep_proving() -> None:
            while not over.is_set():
                subject.prove()
                for descriptor, unread, _, place, number, *_ in subject.engine.take()[0]:
                    # a block that came in pieces
                    subject.engine.adopt(
                        descriptor, unread + arrived(descriptor), subject.group, number, place=place
                    )

        prover = threading.Thread(target=keep_proving)
        prover.start()
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        over.set()
        prover.join()

        assert wrong == []


def test_large_replies_stream_and_a_slow_reader_holds_nobody_up(pair: Pair) -> None:
    with serving(pair) as subject:
        admin = pair.master.client()
        admin.delete("list")
        admin.rpush("list", *[b"x" * 50_000] * 600)
        subject.prove()
        slow, quick = subject.client(), subject.client()
        slow.sendall(say("LRANGE", "list", 0, -1))
        for _ in range(50):
            quick.sendall(say("GET", "quick"))
            assert receive(quick, 5) == b"$-1\r\n"
        size = len(b"*600\r\n") + 600 * len(b"$50000\r\n\r\n") + 600 * 50_000
        assert len(receive(slow, size)) == size


def test_a_client_that_needs_python_is_handed_over_with_what_is_unread_and_comes_back(pair: Pair) -> None:
    with serving(pair) as subject:
        client = subject.client()
        client.sendall(say("SET", "h", "1") + say("SELECT", 1) + say("GET", "h"))
        assert receive(client, 5) == OK
        found: list[Any] = []

        def arrived() -> bool:
            found.extend(subject.engine.take()[0])
            return bool(found)

        until(arrived, what="the client")
        descriptor, unread, unsent, place, number, command, idle, did, *_ = found[0]
        assert unread == say("SELECT", 1) + say("GET", "h")
        assert (unsent, place, command, did) == (b"", 0, b"set", 1), "it has read nowhere yet"
        assert 0 <= idle < 60
        assert os.write(descriptor, OK) == 5
        subject.engine.adopt(descriptor, say("GET", "h"), subject.group, number)
        assert receive(client, 12) == OK + b"$1\r\n1\r\n"
        client.close()
        gone = (1, subject.group, 0, number)
        until(lambda: gone in subject.engine.take()[1], what="the news that it is gone")


def test_half_closed_clients_hear_everything(pair: Pair) -> None:
    with serving(pair) as subject:
        client = subject.client()
        client.sendall(say("SET", "x", "1") + say("GET", "x") * 100)
        client.shutdown(socket.SHUT_WR)

        assert receive(client, 10_000) == OK + b"$1\r\n1\r\n" * 100


def test_a_lost_replica_is_not_noticed_by_clients(pair: Pair) -> None:
    with serving(pair) as subject:
        client = subject.client()
        for _ in range(3):
            pair.replica.client().client_kill_filter(_type="normal", skipme=True)
            client.sendall(say("GET", "none") * 10)
            assert receive(client, 50) == b"$-1\r\n" * 10
            until(lambda: not subject.engine.attached(subject.group, 1), what="the loss to be seen")
            subject.connect_replica()


def test_beyond_the_number_of_clients_is_told_so(pair: Pair) -> None:
    with serving(pair, most_clients=2) as subject:
        held = [subject.client(), subject.client()]
        for client in held:
            client.sendall(say("PING"))
            assert receive(client, 7) == b"+PONG\r\n"
        third = subject.client()
        with suppress(ConnectionResetError):
            assert receive(third, 100) == b"-ERR full\r\n"
        held[0].close()
        until(lambda: subject.engine.counts()[0] == 1, what="the client to be gone")
        again = subject.client()
        again.sendall(say("PING"))
        assert receive(again, 7) == b"+PONG\r\n"


def test_draining_lets_what_is_on_its_way_come_and_closes_the_idle(pair: Pair) -> None:
    with serving(pair) as subject:
        idle, active = subject.client(), subject.client()
        for client in (idle, active):
            client.sendall(say("PING"))
            receive(client, 7)
        pair.master.pause()
        active.sendall(say("INCR", "drained"))
        until(
            lambda: subject.engine.begin() < subject.engine.generation - 1, what="the write to be on its way"
        )
        subject.engine.close_listeners()
        subject.engine.drain()
        assert receive(idle, 1) == b""
        pair.master.resume()
        assert receive(active, 4).startswith(b":")
        assert receive(active, 1) == b""
        with pytest.raises(ConnectionRefusedError):
            subject.client()


def test_without_descriptors_it_waits_and_does_not_spin(pair: Pair) -> None:
    import resource

    with serving(pair) as subject:
        first = subject.client()
        first.sendall(say("PING"))
        receive(first, 7)
        second = socket.socket()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used - 1, hard))
        try:
            second.settimeout(60)
            second.connect((HOST, subject.port))
            turns = subject.engine.counts()[3]
            first.sendall(say("ECHO", "still here"))
            assert receive(first, 17) == b"$10\r\nstill here\r\n"
            assert subject.engine.counts()[3] - turns < 1000
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        second.sendall(say("PING"))
        assert receive(second, 7) == b"+PONG\r\n"
        second.close()
