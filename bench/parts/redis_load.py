"""Load on a Redis port: redis-benchmark for the closed loop, a pacing client of our own for the open one."""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.parts.redis_peers import Peer
from tests.support.processes import Process, run
from tests.support.redis_servers import HOST
from tests.support.resp import request
from tests.support.waiting import pause

SIZE = 64  # bytes of a value
KEYS = 10_000


@dataclass(frozen=True)
class Case:
    """One shape of the closed loop."""

    name: str
    clients: int
    pipeline: int
    requests: int


def closed_loop(peer: Peer, case: Case, command: str) -> None:
    """Run redis-benchmark to its end.

    Raises:
        AssertionError: it failed, or an error was answered.
    """
    done = run(
        [*_benchmark(peer, case.clients, case.pipeline), "-n", str(case.requests), "-t", command], timeout=300
    )
    assert done.status == 0, done
    assert command.upper() in done.stdout, done


@contextlib.contextmanager
def flood(peer: Peer, depth: int) -> Iterator[None]:
    """Meanwhile one client keeps *depth* reads in its pipeline."""
    with Process([*_benchmark(peer, 1, depth), "-n", "1000000000", "-t", "get"]):
        yield


def _benchmark(peer: Peer, clients: int, pipeline: int) -> list[str]:
    where = ["-s", peer.path] if peer.path else ["-p", str(peer.port)]
    shape = ["-c", str(clients), "-P", str(pipeline), "-d", str(SIZE), "-r", str(KEYS), "--csv"]
    return ["redis-benchmark", *where, *shape]


def connect(peer: Peer) -> socket.socket:
    """Return a connection to *peer*."""
    if peer.path:
        found = socket.socket(socket.AF_UNIX)
        found.connect(peer.path)
        return found
    found = socket.create_connection((HOST, peer.port), timeout=30)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def open_loop(peer: Peer, rate: int, seconds: float, clients: int = 10) -> list[float]:
    """Send reads at *rate* a second whether or not they are answered; return the sorted delays in seconds.

    A delay counts from the time at which its read was due, so a stall is seen by all that it held up.
    """
    words = request("GET", f"key:{1:012}")
    sockets = [connect(peer) for _ in range(clients)]
    for sock in sockets * 3:  # so that connecting, and the first command of a connection, are over
        sock.sendall(words)
        assert sock.recv(65536)
    pause(0.1)
    due: dict[socket.socket, deque[float]] = {sock: deque() for sock in sockets}
    delays: list[float] = []
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_READ)
        total, sent, begin = int(rate * seconds), 0, time.monotonic() + 0.1
        while len(delays) < total:
            now = time.monotonic()
            while sent < total and begin + sent / rate <= now:
                sock = sockets[sent % clients]
                sock.sendall(words)
                due[sock].append(begin + sent / rate)
                sent += 1
            wait = 1.0 if sent == total else max(0.0, begin + sent / rate - time.monotonic())
            for key, _ in selector.select(wait):
                _answered(key.fileobj, due, delays)  # type: ignore[arg-type]
            assert time.monotonic() < begin + seconds + 60, f"{total - len(delays)} reads were not answered"
    for sock in sockets:
        sock.close()
    return sorted(delays)


def _answered(sock: socket.socket, due: dict[socket.socket, deque[float]], delays: list[float]) -> None:
    data, now = sock.recv(65536), time.monotonic()
    assert data, "the connection was closed"
    # a reply is either nil or one value: both end in a line, a value has one line more
    count = data.count(b"$-1\r\n") + (data.count(b"\r\n") - data.count(b"$-1\r\n")) // 2
    for _ in range(count):
        delays.append(now - due[sock].popleft())


def one_by_one(peer: Peer, clients: int, requests: int, prelude: Sequence[str]) -> None:
    """Let *clients* send reads, each one after the reply to its last, after *prelude* on each connection."""
    words, sockets = request("GET", f"key:{1:012}"), [connect(peer) for _ in range(clients)]
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            if prelude:
                sock.sendall(request(*prelude))
                assert sock.recv(4096)[:1] != b"-", prelude
            selector.register(sock, selectors.EVENT_READ)
            sock.sendall(words)
        left = requests
        while left > 0:
            for key, _ in selector.select(30):
                assert key.fileobj.recv(65536)  # type: ignore[union-attr]
                key.fileobj.sendall(words)  # type: ignore[union-attr]
                left -= 1
    for sock in sockets:
        sock.close()


@contextlib.contextmanager
def idle(peer: Peer, count: int, prelude: Sequence[Sequence[str]] = ()) -> Iterator[None]:
    """Hold *count* connections that have said *prelude* and one thing more, and say no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 1000)), hard))
    sockets = []
    try:
        for _ in range(count):
            sock = connect(peer)
            sockets.append(sock)
            for words in prelude:
                sock.sendall(request(*words))
                assert sock.recv(65536)[:1] != b"-", words
            sock.sendall(request("PING"))  # which needs no server, whose own limit would count else
            assert sock.recv(100) == b"+PONG\r\n"
        yield
    finally:
        for sock in sockets:
            sock.close()
