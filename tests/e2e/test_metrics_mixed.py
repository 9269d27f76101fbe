"""Hostile and good traffic at once: what is good counts exactly, and memory stands still.

SOAK=1 lets it go on for MINUTES, ten of them without a word.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.memory import resident
from tests.support.together import together

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6) if SOAK else 7))
MINUTES = float(os.environ.get("MINUTES", "10")) if SOAK else 0.0
LEAST, PACKETS = 4, 400  # rounds; packets of each sender in a round
GROWTH = 24 << 20  # bytes between the first round and the last
SERIES = 2000  # of StatsD at most: names that strangers make up use them up
GOOD = b"good.orders:2|c|#kind:book\ngood.time:250|ms\ngood.level:+1|g\n"
RULES = """\
sources: {{page: {{http: {{url: "http://127.0.0.1:{port}/", timeout: 1s}}}}}}
rules: [{{from: page, match: {{path: "{{where}}"}}, name: page_numbers, labels: {{where: "{{where}}"}}}}]
"""
MAPPING = """\
mappings:
- {match: "good.time", name: good_seconds, observer_type: histogram}
- {match: "odd.*.*", name: "odd_$1", labels: {what: "$2"}}
"""
ACCEPTED = (
    "text/plain;version=0.0.4",
    "application/openmetrics-text;version=1.0.0",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
)


def nonsense(draw: random.Random) -> bytes:
    """Return what no application should send: noise, damage, names without end, absurd numbers."""
    kind = draw.randrange(6)
    if kind == 0:
        return draw.randbytes(draw.randrange(1, 1400))
    if kind == 1:
        line = bytearray(b"odd.a.b:1|c|@0.5|#x:y,z:w\n" * 20)
        for _ in range(20):
            line[draw.randrange(len(line))] = draw.randrange(256)
        return bytes(line)
    if kind == 2:
        return b"\n".join(b"odd.%x.%x:1|c" % (draw.getrandbits(40), draw.getrandbits(40)) for _ in range(20))
    if kind == 3:
        return b"odd.a:%d|%s|@%s" % (draw.getrandbits(900), draw.choice([b"ms", b"h", b"g"]), b"1e-300")
    if kind == 4:
        return b"odd.t:1|c|#" + b",".join(b"k%x:%x" % (n, draw.getrandbits(30)) for n in range(60))
    return b"x" * draw.randrange(1, 60_000)


class Page(BaseHTTPRequestHandler):
    """A statistics page that says something else each time, seldom JSON."""

    draw = random.Random(SEED)

    def do_GET(self) -> None:
        numbers = {f"k{self.draw.getrandbits(30)}": self.draw.random() for _ in range(100)}
        body = self.draw.choice([json.dumps(numbers).encode(), self.draw.randbytes(5000), b"[" * 9000])
        self.send_response(self.draw.choice([200, 200, 500]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def by_udp(adapter: Adapter, draw: random.Random) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(PACKETS):
            sender.sendto(nonsense(draw), adapter.address)


def by_tcp(adapter: Adapter, draw: random.Random) -> None:
    for _ in range(PACKETS // 10):
        with contextlib.suppress(OSError), socket.create_connection(adapter.address, 60) as sender:
            for _ in range(10):
                sender.sendall(nonsense(draw))


def good(adapter: Adapter, draw: random.Random) -> None:
    """Send PACKETS good packets, cut anywhere; return when the adapter has taken them."""
    with socket.create_connection(adapter.address, 60) as sender:
        for _ in range(PACKETS):
            cut = draw.randrange(len(GOOD))
            sender.sendall(GOOD[:cut])
            sender.sendall(GOOD[cut:])
        sender.shutdown(socket.SHUT_WR)
        assert sender.recv(1) == b""  # it closes once it has read all


def scraping(adapter: Adapter, draw: random.Random) -> None:
    for _ in range(5):
        assert adapter.get("/metrics", Accept=draw.choice(ACCEPTED[:2])).status == 200


@pytest.mark.parametrize("env", [{}, {"PODMATES_PURE": "1"}], ids=["compiled if it may be", "pure"])
def test_good_lines_count_exactly_beside_hostile_ones_and_memory_stands_still(
    tmp_path: Path, env: dict[str, str]
) -> None:
    pages = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    (tmp_path / "rules.yaml").write_text(RULES.format(port=pages.server_port))
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    flags = [f"--config.file={tmp_path / 'rules.yaml'}", f"--statsd.max-series={SERIES}"]
    flags.append(f"--statsd.mapping-config={tmp_path / 'mapping.yaml'}")
    sizes: list[int] = []
    with contextlib.closing(pages.socket), Adapter(*flags, env=env) as adapter:
        with socket.create_connection(adapter.address, 60) as first:
            first.sendall(GOOD)
        adapter.wait_for({"good_level": 1})  # before strangers use all series up
        end = time.monotonic() + 60 * MINUTES
        while len(sizes) < LEAST or time.monotonic() < end:
            draws = [random.Random(f"{SEED} {len(sizes)} {number}") for number in range(6)]
            jobs = [by_udp, by_udp, by_tcp, good, good, scraping]
            together(
                *[lambda d=d, job=job: job(adapter, d) for d, job in zip(draws, jobs, strict=True)],
                timeout=300,
            )
            sizes.append(resident(adapter.pid))
        packets = 1 + 2 * PACKETS * len(sizes)
        page = adapter.wait_for({'good_orders{kind="book"}': 2 * packets})
        assert "Traceback" not in adapter.output, adapter.output
        pages.shutdown()

    assert page["good_seconds_count"] == packets
    assert page["good_level"] == packets
    assert sum(name.startswith("odd") for name in page) <= SERIES
    print(f"SEED={SEED}: {[size >> 20 for size in sizes]} MiB after each round")
    assert sizes[-1] < sizes[0] + GROWTH, f"SEED={SEED}: {[size >> 10 for size in sizes]} KiB"
    quarter = len(sizes) // 4
    assert max(sizes[-quarter:]) < 1.2 * max(sizes[: 2 * quarter]), [size >> 20 for size in sizes]
