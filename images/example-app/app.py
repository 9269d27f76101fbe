"""The example application: one page that uses what its pod offers, and says what it got.

It knows localhost only: a Redis (``REDIS_URL``), a StatsD (``STATSD``, host:port) and a folder with a site
(``SITE``). What is not set is not used. ``/`` is the page, ``/stats`` the statistics as JSON, ``/healthz``
for probes; ``app.py probe`` asks the last. Listens on ``LISTEN``, 0.0.0.0:8080 by default.

As an older application would, it also tells its statistics in lines to who connects to ``LINES`` (host:port),
and keeps ``access.log`` and ``batch.json`` in the folder ``RECORDS``.
"""

from __future__ import annotations

import html
import http.client
import json
import os
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import redis
import statsd

PAGE = "<!doctype html><title>example-app</title><h1>example-app</h1><dl>{rows}</dl>\n"
ROW = "<dt>{name}<dd id={name}>{value}\n"


class Application:
    """What a visit does, and the statistics about it."""

    def __init__(self, environ: dict[str, str]) -> None:
        url, target = environ.get("REDIS_URL", ""), environ.get("STATSD", "")
        # A hiccup of the servers behind the ambassador is waited for, a long outage is shown.
        self._redis = redis.Redis.from_url(url, socket_timeout=10) if url else None
        host, _, port = target.rpartition(":")
        self._statsd = statsd.StatsClient(host, int(port), prefix="example") if target else None
        self._site = Path(environ["SITE"]) if environ.get("SITE") else None
        self._records = Path(environ["RECORDS"]) if environ.get("RECORDS") else None
        self._lock = threading.Lock()
        self._counts = {"visits": 0, "writes": 0, "reads": 0, "failures": 0}

    def visit(self) -> dict[str, str]:
        """Return what the page shows, in order."""
        started = time.monotonic()
        self._count("visits")
        shown = {**self._use_redis(), **self._read_site()}
        if self._statsd is not None:
            self._statsd.incr("visits")
            self._statsd.timing("visit", (time.monotonic() - started) * 1000)
            shown["counted"] = "a visit and its time, by StatsD"
        self._record(time.monotonic() - started)
        return shown

    def _record(self, seconds: float) -> None:
        """Keep the visit: a line of the log, and the state in a file that is never read half written."""
        if self._records is None:
            return
        with self._lock:
            with (self._records / "access.log").open("a") as log:
                log.write(f'method=GET path=/ status=200 seconds={seconds:.6f} time="{time.ctime()}"\n')
            new = self._records / ".batch.json"
            new.write_text(json.dumps({"finished": time.time(), "items": self._counts["visits"]}))
            new.rename(self._records / "batch.json")

    def lines(self) -> str:
        """Return the statistics as lines that END ends."""
        with self._lock:
            return "".join(f"{kind} {count}\n" for kind, count in self._counts.items()) + "END\n"

    def statistics(self) -> dict[str, Any]:
        with self._lock:
            work = [{"kind": kind, "count": count} for kind, count in self._counts.items()]
        return {"application": "example-app", "work": work}

    def _use_redis(self) -> dict[str, str]:
        if self._redis is None:
            return {}
        try:
            found = self._read(self._redis, "visits")  # settled since the last visit: any replica may say it
            wrote = self._redis.incr("visits")
            self._count("writes")
            read = self._read(self._redis, "visits")  # must be what was written
        except redis.RedisError as error:
            self._count("failures")
            return {"wrote": f"nothing: {error}"}
        return {"found": found, "wrote": str(wrote), "read": read}

    def _read(self, server: redis.Redis, key: str) -> str:
        value = server.get(key)
        self._count("reads")
        return value.decode() if isinstance(value, bytes) else "nothing"

    def _read_site(self) -> dict[str, str]:
        if self._site is None:
            return {}
        try:
            tree = self._site.resolve(strict=True)  # once per visit: the link may move at any moment
            return {"site": (tree / "index.html").read_text().strip(), "commit": tree.name}
        except OSError as error:
            return {"site": f"none: {error.strerror}"}

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


class Handler(BaseHTTPRequestHandler):
    application: Application

    def do_GET(self) -> None:
        if self.path == "/":
            shown = self.application.visit().items()
            rows = "".join(ROW.format(name=name, value=html.escape(value)) for name, value in shown)
            self._answer("text/html; charset=utf-8", PAGE.format(rows=rows))
        elif self.path == "/stats":
            self._answer("application/json", json.dumps(self.application.statistics()) + "\n")
        elif self.path == "/healthz":
            self._answer("text/plain", "ok\n")
        else:
            self.send_error(404)

    def _answer(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the page is the message."""


class Lines(socketserver.StreamRequestHandler):
    """Says the statistics to who connects."""

    application: Application

    def handle(self) -> None:
        self.wfile.write(self.application.lines().encode())


def listen_for_lines(application: Application, address: str) -> None:
    """Serve the lines at *address*, host:port, for as long as the process lives."""
    host, _, port = address.rpartition(":")
    Lines.application = application
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    server = socketserver.ThreadingTCPServer((host, int(port)), Lines)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


def probe(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        connection.close()


def main() -> int:
    host, _, port = os.environ.get("LISTEN", "0.0.0.0:8080").rpartition(":")
    if sys.argv[1:] == ["probe"]:
        return probe(int(port))
    Handler.application = Application(dict(os.environ))
    if os.environ.get("LINES"):
        listen_for_lines(Handler.application, os.environ["LINES"])
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    # shutdown() waits for the loop that this very thread runs, hence the other thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"example-app listens on {host}:{port}", file=sys.stderr, flush=True)
    with server:
        server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
