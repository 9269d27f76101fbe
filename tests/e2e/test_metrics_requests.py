"""Whatever is asked of the web port is answered or refused: it never fails, and others are served as before.

SOAK=1 asks TIMES as much; SEED repeats a run.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import re
import socket
from pathlib import Path

import pytest

from tests.e2e.adapters import Adapter
from tests.support.fuzzing import SOAK, often
from tests.support.memory import resident

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6) if SOAK else 7))
LAST = b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
QUIET = 0.3  # seconds without a byte of an answer
GROWTH = 32 << 20  # bytes, from a quarter of the requests on
MODULES = """
modules: {default: {metrics: [{name: a, path: "{.a}"}], body: {content: "{{ .x }}", templatize: true}}}
"""
HASH = "$2y$04$" + "a" * 53
METHODS = (
    ["GET"] * 6
    + ["POST"] * 4
    + ["HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "CONNECT", "get", "G\x00T", "é"]
)
PATHS = [
    "/metrics",
    "/-/try",
    "/-/healthy",
    "/-/ready",
    "/-/reload",
    "/probe",
    "/",
    "/livez",
    "/version",
    "*",
    "",
    "/probe?target=",
    "/probe?module=default&target=",
    "/probe?module=x&target=x",
    "/metrics/../metrics",
    "//",
]
QUERIES = [
    "",
    "?",
    "?x=%ED%A0%80",
    "?target=http://[::1",
    "?module=%00&target=file:///etc/passwd",
    "?strict=1",
    "#a",
    "?target=http://127.0.0.1:1/%0d%0a",
    "?x=" + "y" * 5000,
    "?%",
    "?target=ftp://a",
    "?target=http://a:99999",
]
HEADERS = [
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "X-Prometheus-Scrape-Timeout-Seconds",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Expect",
    "Connection",
    "Upgrade",
    "Range",
    "Cookie",
    "Host",
    "Te",
]
VALUES = [
    "",
    "nan",
    "-1",
    "1e999",
    "9" * 30,
    "gzip;q=nan",
    "*/*",
    "application/openmetrics-text;version=1.0.0",
    "x" * 9000,
    "chunked",
    "100-continue",
    "close",
    "keep-alive",
    "Basic " + base64.b64encode(b"u:p").decode(),
    "Basic \xff",
    *("Basic " + base64.b64encode(text).decode() for text in (b"u", b"u:\x00", b"\xff:\xff", b":" * 200)),
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ",;=" * 50,
]
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    "rules",
    "sample",
    "from",
    "\\ud800",
    "\\u0000",
    "1e999",
    "null",
    "\n",
    "- ",
    '{"rules": "',
    '", "sample": "',
    "sources: {a: {file: {paths: [/x], format: json}}}",
    "~(",
    "*a",
    "&a ",
    "é",
]


def body(draw: random.Random) -> bytes:
    kind = draw.randrange(3)
    if kind == 0:
        return draw.randbytes(draw.randrange(200))
    if kind == 1:
        return "".join(draw.choices(PIECES, k=draw.randrange(20))).encode()
    texts = ["".join(draw.choices([*PIECES, "\ud800", "\x00"], k=draw.randrange(8))) for _ in range(3)]
    return json.dumps(dict(zip(("rules", "sample", "from"), texts, strict=True))).encode()


def request(draw: random.Random) -> bytes:
    """Return a request, more or less: most are whole, some are cut, some are noise."""
    if draw.random() < 0.05:
        return draw.randbytes(draw.randrange(1, 300))
    method, path = draw.choice(METHODS), draw.choice(PATHS) + draw.choice(QUERIES)
    told = body(draw) if method == "POST" or draw.random() < 0.1 else b""
    lines = [f"{method} {path} HTTP/1.{draw.choice('111109')}", "Host: x"]
    lines += [f"{draw.choice(HEADERS)}: {draw.choice(VALUES)}" for _ in range(draw.randrange(4))]
    if told and draw.random() < 0.9:
        lines.append(f"Content-Length: {len(told)}")
    if draw.random() < 0.7:
        lines.append("Connection: close")
    whole = "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + told
    return whole[: draw.randrange(len(whole))] if draw.random() < 0.05 else whole


def asked(adapter: Adapter, data: bytes) -> bytes:
    """Return what is answered to *data*; what waits for more of a request, or for another, is left alone."""
    answer = b""
    with socket.create_connection(("127.0.0.1", adapter.web), 30) as connection:
        connection.settimeout(QUIET)
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.sendall(data + LAST)
            while piece := connection.recv(65536):
                answer += piece
    return answer


def failures(output: str) -> list[str]:
    """Return the lines about failures of ours; what is no HTTP is told as one of the server's parser."""
    return [line for line in output.splitlines() if "Traceback" in line and "http_exceptions" not in line]


@pytest.mark.parametrize("guarded", [False, True], ids=["open", "with users"])
def test_whatever_is_asked_is_answered_or_refused(tmp_path: Path, guarded: bool) -> None:
    (tmp_path / "json.yaml").write_text(MODULES)
    (tmp_path / "web.yaml").write_text(f"basic_auth_users: {{u: {HASH}}}")
    flags = [f"--config.file={tmp_path}/json.yaml", "--web.enable-lifecycle"]
    flags += [f"--web.config.file={tmp_path}/web.yaml"] if guarded else []
    draw, statuses, sizes = random.Random(f"{SEED} {guarded}"), set[int](), list[int]()
    with Adapter(*flags) as adapter:
        for number in range(rounds := often(400)):
            data = request(draw)
            answer = asked(adapter, data)
            told = [int(found) for found in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)]
            statuses.update(told)
            assert 500 not in told, f"SEED={SEED}: {data!r} {answer!r}"
            assert not failures(adapter.output), f"SEED={SEED}: {data!r} {failures(adapter.output)}"
            if number % (rounds // 4) == 0:
                sizes.append(resident(adapter.pid))
        sizes.append(resident(adapter.pid))
        assert adapter.get("/livez").status == 200
        assert adapter.get("/metrics").status == (401 if guarded else 200)

    print(f"SEED={SEED}: {sorted(statuses)}, {[size >> 20 for size in sizes]} MiB")
    assert statuses >= ({200, 400, 401} if guarded else {200, 400, 404, 405})
    assert sizes[-1] < sizes[1] + GROWTH, sizes
