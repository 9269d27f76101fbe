"""What a request through the ambassador costs: ``python -m bench.redis [SECTION …]``.

CPU of the proxy for each request, latency at a fixed rate, fairness, idle clients, system calls, who serves
the reads; beside it, in one run and in turns, twemproxy, Envoy and the servers directly. Ratios within one
run are the result; the absolute numbers belong to the machine and its load, which is printed.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.parts.commandline import chosen, parser
from bench.parts.measures import cpu, median, settle
from bench.parts.redis_load import (
    KEYS,
    SIZE,
    Case,
    closed_loop,
    connect,
    flood,
    idle,
    one_by_one,
    open_loop,
)
from bench.parts.redis_peers import Peer, missing, peers
from tests.support.ambassador import Ambassador
from tests.support.memory import resident
from tests.support.processes import Process
from tests.support.redis_groups import Cluster
from tests.support.redis_servers import Pair
from tests.support.resp import request
from tests.support.waiting import pause

ROUNDS = 3
SCALE = float(os.environ.get("SCALE", "1"))
CASES = (
    Case("c50 P1", 50, 1, int(150_000 * SCALE)),
    Case("c50 P16", 50, 16, int(1_000_000 * SCALE)),
    Case("c1 P1", 1, 1, int(30_000 * SCALE)),
)
IDLE = 10_000
SPARE = 2_000  # descriptors that a process needs besides
SHARES = ((0.5, "p50"), (0.99, "p99"), (0.999, "p99.9"))
GREETINGS = (("HELLO", "3"), ("CLIENT", "SETNAME", "bench"))  # what a client library says first
PINNING = ("CLIENT", "TRACKING", "ON")  # a client with it has connections of its own
Ways = Sequence[Peer]


def cost(ways: Ways, cases: Sequence[Case] = CASES) -> None:
    """Microseconds of the proxy's CPU for each request, the median of the rounds."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for turn in range(ROUNDS):
        for case in cases:
            for command in ("set", "get"):
                for peer in (*ways[turn:], *ways[:turn]):
                    before = cpu(peer.pid) if peer.pid else 0.0
                    closed_loop(peer, case, command)
                    used = (cpu(peer.pid) if peer.pid else 0.0) - before
                    found.setdefault((case.name, command, peer.name), []).append(used / case.requests * 1e6)
    names = [peer.name for peer in ways if peer.pid]
    for case in cases:
        for command in ("set", "get"):
            cells = {name: median(found[(case.name, command, name)]) for name in names}
            _row(f"CPU us a request, {case.name} {command}", cells)


def pinned(ways: Ways) -> None:
    """The same for clients with connections of their own, where the proxy has such."""
    requests, found = int(40_000 * SCALE), {}
    for peer in ways:
        if not peer.pid or peer.path:
            continue
        ours = peer.name.startswith("ambassador")
        before = cpu(peer.pid)
        one_by_one(peer, 50, requests, PINNING if ours else ())
        found[peer.name] = (cpu(peer.pid) - before) / requests * 1e6
    _row("CPU us a request, 50 pinned clients get", found)


def latency(ways: Ways) -> None:
    """Delay of reads that are sent at a fixed rate, in milliseconds, and how much of it is added."""
    for rate in (500, 2000):
        found: dict[tuple[str, float], list[float]] = {}
        for turn in range(ROUNDS):
            for peer in (*ways[turn:], *ways[:turn]):
                delays = open_loop(peer, rate, 5 * SCALE)
                for share, _ in SHARES:
                    found.setdefault((peer.name, share), []).append(1e3 * _at(delays, share))
        for share, name in SHARES:
            cells = {peer.name: median(found[peer.name, share]) for peer in ways}
            _row(f"ms at {rate}/s, {name}", cells)
            own = cells.pop("direct")
            _row(f"ms at {rate}/s, {name}, added", {key: value - own for key, value in cells.items()})


def stalls(ways: Ways) -> None:
    """The same of plain clients while something else goes on: scrapes, reloads, a pinned client's traffic."""
    mine = [peer for peer in ways if peer.admin]
    for name, meanwhile in DISTURBANCES.items():
        found = {}
        for peer in mine:
            with meanwhile(peer):
                found[peer.name] = 1e3 * _at(open_loop(peer, 1000, 10 * SCALE), 0.999)
        _row(f"ms at 1000/s, p99.9, {name}", found)


def fairness(ways: Ways) -> None:
    """The same beside a client that keeps 10,000 reads in its pipeline."""
    found = {}
    for peer in ways:
        with flood(peer, 10_000):
            settle()
            found[peer.name] = open_loop(peer, 100, 10 * SCALE, clients=1)
    for share, name in SHARES[:2]:
        _row(f"ms beside a flood, {name}", {key: 1e3 * _at(found[key], share) for key in found})


def idlers(ways: Ways) -> None:
    """Memory and CPU of clients that say nothing, and what it took to connect them."""
    count = min(IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE)
    empty = {peer.name: resident(peer.pid) for peer in ways if peer.pid}  # later on memory is used again
    for title, prelude in (("", ()), (", greeted as by redis-py", GREETINGS)):
        joins, sizes, rest = {}, {}, {}
        for peer in ways:
            if not peer.pid or (prelude and not peer.admin):  # the others know no HELLO 3
                continue
            begin = cpu(peer.pid)
            with idle(peer, count, prelude):
                settle()
                joins[peer.name] = (cpu(peer.pid) - begin) / count * 1e6
                sizes[peer.name] = (resident(peer.pid) - empty[peer.name]) / count
                begin = cpu(peer.pid)
                pause(5)
                rest[peer.name] = (cpu(peer.pid) - begin) / 5 * 100
            settle()
        _row(f"CPU us to connect and PING{title}", joins)
        _row(f"bytes for each of {count} idle clients{title}", sizes)
        _row(f"% CPU with {count} idle clients{title}", rest)


def calls(ways: Ways) -> None:
    """System calls for each request, by strace."""
    if not shutil.which("strace"):
        print("system calls: not counted (Debian's strace)")
        return
    found, case = {}, Case("", 50, 1, int(50_000 * SCALE))
    for peer in ways:
        if peer.pid:
            found[peer.name] = _counted(peer, case) / case.requests
    _row("system calls a request, c50 P1 get", found)


def scaling() -> None:
    """Share of a read-only load that two replicas serve."""
    with Pair(replicas=2) as pair, Ambassador("--servers", pair.addresses) as ours:
        _fill(ours.client())
        pair.settle()
        peer = Peer("ambassador", ours.port, ours.process.pid)
        before = [server.calls("get") for server in pair.servers]
        closed_loop(peer, Case("", 50, 1, int(100_000 * SCALE)), "get")
        served = [server.calls("get") - was for server, was in zip(pair.servers, before, strict=True)]
    shares = ", ".join(f"{count / sum(served):.1%}" for count in served)
    print(f"reads of a read-only load by master, replica, replica: {shares}")


def clusters() -> None:
    """The cost before a cluster of three shards, beside that before a pair, of clients with connections."""
    with Pair() as pair, Cluster() as cluster, contextlib.ExitStack() as stack:
        ways = []
        for name, flags in (
            ("pair", ("--servers", pair.addresses)),
            ("cluster", ("--cluster", cluster.addresses)),
        ):
            ours = stack.enter_context(Ambassador(*flags, "--shared-path", "off"))
            ours.wait_readyz()
            _fill(ours.client())
            ways.append(Peer(name, ours.port, ours.process.pid))
        cost(ways, CASES[:1])


def _row(title: str, cells: dict[str, float]) -> None:
    print(f"{title:40}" + "".join(f" | {name} {value:.3g}" for name, value in cells.items()), flush=True)


def _at(delays: Sequence[float], share: float) -> float:
    return delays[min(len(delays) - 1, int(share * len(delays)))]


@contextlib.contextmanager
def _repeated(act: Callable[[], object], every: float) -> Iterator[None]:
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every):
            act()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _scraped(peer: Peer) -> contextlib.AbstractContextManager[None]:
    url = peer.admin + "/metrics"
    return _repeated(lambda: urllib.request.urlopen(url, timeout=30).read(), 0.2)


def _reloaded(peer: Peer) -> contextlib.AbstractContextManager[None]:
    return _repeated(lambda: os.kill(peer.pid, signal.SIGHUP), 0.2)


@contextlib.contextmanager
def _beside_pinned(peer: Peer) -> Iterator[None]:
    """Let a client with connections of its own send commands, one after the other, in turns of 20 ms."""
    words = request("GET", f"key:{1:012}")
    with contextlib.closing(connect(peer)) as sock:
        sock.sendall(request(*PINNING))
        assert sock.recv(4096)[:1] != b"-"

        def act() -> None:
            end = time.monotonic() + 0.02
            while time.monotonic() < end:
                sock.sendall(words)
                assert sock.recv(4096)

        with _repeated(act, 0.1):
            yield


DISTURBANCES: dict[str, Callable[[Peer], contextlib.AbstractContextManager[None]]] = {
    "nothing else": lambda peer: contextlib.nullcontext(),
    "scrapes": _scraped,
    "reloads": _reloaded,
    "a pinned client": _beside_pinned,
}


def _counted(peer: Peer, case: Case) -> int:
    with tempfile.NamedTemporaryFile() as report:
        with Process(["strace", "-c", "-f", "-p", str(peer.pid), "-o", report.name]) as tracer:
            tracer.wait_line("attached", 30)
            closed_loop(peer, case, "get")
            tracer.stop(signal.SIGINT)
        total = re.search(r"([0-9]+)(?: +[0-9]+)? total$", Path(report.name).read_text(), re.MULTILINE)
    assert total, "strace has counted nothing"
    return int(total[1])


def _fill(client: object) -> None:
    pipe = client.pipeline(transaction=False)  # type: ignore[attr-defined]
    for number in range(KEYS):
        pipe.set(f"key:{number:012}", "x" * SIZE)
    pipe.execute()


SECTIONS: tuple[Callable[[Ways], None], ...] = (cost, pinned, latency, stalls, fairness, idlers, calls)
ALONE = (scaling, clusters)


def main(argv: Sequence[str] = ()) -> int:
    names = [each.__name__ for each in (*SECTIONS, *ALONE)]
    wanted = chosen(parser("bench.redis", __doc__), names, argv).chosen
    began = time.monotonic()
    print(f"load {os.getloadavg()[0]:.1f} at the start, {os.cpu_count()} cores, {KEYS} keys, {SIZE} bytes")
    if missing():
        print(f"not on this machine: {', '.join(missing())}")
    with contextlib.ExitStack() as stack:
        pair = stack.enter_context(Pair())
        ways = [stack.enter_context(way) for way in peers(pair)]
        _fill(pair.master.client())
        pair.settle()
        for section in SECTIONS:
            if section.__name__ in wanted:
                section(ways)
    for alone in ALONE:
        if alone.__name__ in wanted:
            alone()
    print(f"load {os.getloadavg()[0]:.1f} at the end, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
