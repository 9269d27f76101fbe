"""What tells a source of statistics by its first words, and how a native file calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple


class Question(NamedTuple):
    """Bytes to send, and what an answer that begins like this means.

    Attributes:
        kind: of the source in a native file.
        tell: takes an answer's beginning, of HTTP the body; returns a source's name and keys, or None.
        path: of HTTP; the request is made from it.
        ports: where it is asked; empty: everywhere.
    """

    kind: str
    tell: Callable[[bytes], tuple[str, str] | None]
    path: str = ""
    send: bytes = b""
    ports: frozenset[int] = frozenset()


def _begins(what: bytes, name: str, keys: str) -> Callable[[bytes], tuple[str, str] | None]:
    return lambda body: (name, keys) if body.lstrip(b"\r\n ").startswith(what) else None


def _contains(what: bytes, name: str, keys: str) -> Callable[[bytes], tuple[str, str] | None]:
    return lambda body: (name, keys) if what in body else None


def _document(body: bytes) -> tuple[str, str] | None:
    """Tell a JSON object with a number in it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return ("status", "format: json") if isinstance(document, dict) and _number(document, 8) else None


def _number(value: object, depth: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if depth and any(_number(part, depth - 1) for part in inner):
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _page(body: bytes) -> tuple[str, str] | None:
    """Tell Prometheus' text format."""
    lines = body.splitlines()[:50]
    return ("exporter", "format: prometheus") if any(line.startswith(b"# TYPE ") for line in lines) else None


_STUB = _begins(b"Active connections:", "nginx", "preset: nginx_stub_status")
_HAPROXY = _begins(b"# pxname,", "haproxy", "preset: haproxy_csv")
_REDIS = _contains(b"redis_version:", "redis", "preset: redis_info")
# The first of an address that tells something is taken; what is particular comes first.
QUESTIONS = (
    *(Question("http", _STUB, path) for path in ("/stub_status", "/nginx_status", "/basic_status")),
    Question("http", _contains(b"\nScoreboard: ", "apache", "preset: apache_auto"), "/server-status?auto"),
    *(Question("http", _HAPROXY, path) for path in ("/;csv", "/stats;csv", "/haproxy?stats;csv")),
    *(Question("http", _page, path) for path in ("/actuator/prometheus", "/metrics")),
    *(Question("http", _document, path) for path in ("/status", "/stats", "/stats.json", "/")),
    Question("socket", _begins(b"STAT pid ", "memcached", "preset: memcached"), send=b"stats\r\n",
             ports=frozenset({11211})),
    Question("socket", _REDIS, send=b"INFO\r\nQUIT\r\n", ports=frozenset({6379, 6380})),
    Question("socket", _begins(b"zk_version\t", "zookeeper", "preset: zookeeper_mntr"), send=b"mntr",
             ports=frozenset({2181})),
    # The handshake of a registry of RMI: whoever speaks the protocol acknowledges it.
    Question("jmx", _begins(b"N\x00", "jvm", ""), send=b"JRMI\x00\x02\x4b",
             ports=frozenset({1099, 5555, 7199, 8999, 9010, 9099, 9999})),
)  # fmt: skip


def entry(question: Question, host: str, port: int, keys: str) -> str:
    """Return what stands in a native file for a source at this address."""
    if question.kind == "http":
        return f'{{http: {{url: "http://{host}:{port}{question.path}", {keys}}}}}'
    if question.kind == "jmx":
        return f'{{jmx: {{target: "{host}:{port}"}}}}'
    return f'{{socket: {{connect: "tcp://{host}:{port}", {keys}}}}}'


def listening(tables: list[str]) -> set[int]:
    """Return the TCP ports that Linux' tables (``/proc/net/tcp``) say somebody listens on."""
    ports = set()
    for line in (line for table in tables for line in table.splitlines()[1:]):
        fields = line.split()
        if len(fields) > 3 and fields[3] == "0A":
            ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports
