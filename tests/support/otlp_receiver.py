"""A receiver of OTLP over HTTP that keeps what it is sent, and answers as a test wants."""

from __future__ import annotations

import contextlib
import gzip
import json
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self


class Received(NamedTuple):
    path: str
    headers: Mapping[str, str]  # names in lower case
    message: dict[str, Any]

    def resource(self) -> dict[str, str]:
        """Return the attributes of the only resource."""
        (found,) = self.message["resourceMetrics"]
        return {one["key"]: one["value"]["stringValue"] for one in found["resource"]["attributes"]}

    def metrics(self) -> list[dict[str, Any]]:
        return [
            metric
            for resource in self.message["resourceMetrics"]
            for scope in resource["scopeMetrics"]
            for metric in scope["metrics"]
        ]


class Receiver:
    """Listens on a free port of 127.0.0.1; use as a context manager.

    Attributes:
        requests: what came.
        status, answer, headers: what is answered.
        held: while it is not set, requests wait for their answers.
    """

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.status, self.answer, self.headers = 200, b"{}", dict[str, str]()
        self.held = threading.Event()
        self.held.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append(Received(self.path, headers, json.loads(body)))
                receiver.held.wait(60)
                with contextlib.suppress(OSError):  # who gave up waiting is gone
                    self._answer()

            def _answer(self) -> None:
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def values(self) -> dict[str, float]:
        """Return the last value of each sum and gauge without labels."""
        found = {}
        for request in self.requests:
            for metric in request.metrics():
                for point in metric.get("sum", metric.get("gauge", {})).get("dataPoints", []):
                    if not point["attributes"]:
                        found[metric["name"]] = float(point["asDouble"])
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.held.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
