"""Who takes the lines: the adapter with and without its compiled part, and statsd_exporter."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.parts.statsd_load import MAPPING
from podmates_metrics.statsd import twins
from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.waiting import until
from tools import gotools

_PEER = gotools.STATSD_EXPORTER


@dataclass(frozen=True)
class Server:
    """One that runs."""

    pid: int
    port: int  # UDP
    web: int

    def page(self, *, compressed: bool = True) -> bytes:
        """Return the page of metrics as Prometheus gets it."""
        accepts = {"Accept-Encoding": "gzip"} if compressed else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.web}/metrics", headers=accepts)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            body: bytes = answer.read()
        return gzip.decompress(body) if compressed else body

    def lines(self) -> float:
        """Return how many lines it says that it has received."""
        found = re.search(rb"^statsd_exporter_lines_total (\S+)$", self.page(), re.MULTILINE)
        return float(found[1]) if found else 0.0


Start = Callable[[int], AbstractContextManager[Server]]  # with a receive buffer of so many bytes; 0: its own
NAMES = ("pure", "compiled", "statsd_exporter")


def peers() -> dict[str, Start]:
    """Return how each of `NAMES` that this machine has is started."""
    found: dict[str, Start] = {"pure": lambda buffer: adapter(buffer, pure=True)}
    if twins.name(twins.choose()) == "compiled":
        found["compiled"] = lambda buffer: adapter(buffer, pure=False)
    if program := exporter():
        found["statsd_exporter"] = lambda buffer: original(program, buffer)
    return found


def exporter() -> str:
    """Return the path of statsd_exporter: on the PATH, or built by Go into the user's cache; or nothing."""
    if found := os.environ.get("STATSD_EXPORTER") or shutil.which("statsd_exporter"):
        return found
    return str(gotools.place(_PEER)) if gotools.ensure(_PEER) else ""


@contextmanager
def _mapping() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mapping.yaml"
        file.write_text(MAPPING)
        yield file


def _buffered(size: int) -> list[str]:
    return [f"--statsd.read-buffer={size}"] if size else []


@contextmanager
def adapter(buffer: int, *, pure: bool) -> Iterator[Server]:
    """The adapter; *pure*: without its compiled part."""
    environ = {"PODMATES_PURE": "1"} if pure else {}
    flags = _buffered(buffer)
    with _mapping() as file, Adapter(f"--statsd.mapping-config={file}", *flags, env=environ) as process:
        yield Server(process.pid, process.lines, process.web)


@contextmanager
def original(program: str, buffer: int) -> Iterator[Server]:
    """statsd_exporter with its defaults."""
    web, udp = free_port(), free_port()
    flags = [f"--statsd.listen-udp=127.0.0.1:{udp}", "--statsd.listen-tcp=", "--log.level=error"]
    flags += _buffered(buffer)
    with _mapping() as file:
        argv = [program, f"--statsd.mapping-config={file}", *flags, f"--web.listen-address=127.0.0.1:{web}"]
        with Process(argv) as process:
            server = Server(process.pid, udp, web)
            until(lambda: b"lines_total" in server.page(), 30, program, ignoring=(OSError,))
            yield server
