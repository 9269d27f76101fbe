"""An HTTP server that answers as a test tells it, and keeps what it was sent; with TLS on demand."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.support.programs import need


class Asked(NamedTuple):
    """A request that came in; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What goes back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class WebServer:
    """Serves on loopback; use it as a context manager.

    Attributes:
        url: without a slash at the end.
        asked: what came so far.
        answer: makes the reply to each request; may be changed while it runs.
    """

    def __init__(
        self,
        answer: Callable[[Asked], Reply] = lambda asked: Reply(),
        *,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        owner = self

        class Bound(_Handler):
            web_server = owner

        self._server = _Server(("127.0.0.1", 0), Bound)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.context = context
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext | None = None

    def finish_request(self, request: object, client_address: object) -> None:
        if self.context is None:
            super().finish_request(request, client_address)  # type: ignore[arg-type]
            return
        with self.context.wrap_socket(request, server_side=True) as line:  # type: ignore[arg-type]
            super().finish_request(line, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that does not trust us goes away: that is what some tests are about


class _Handler(BaseHTTPRequestHandler):
    web_server: WebServer

    def parse_request(self) -> bool:
        """Take any method."""
        known = super().parse_request()
        if known:
            setattr(self, f"do_{self.command}", self._answer)
        return known

    def log_message(self, format: str, *args: object) -> None:
        pass  # tests look at `asked`

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, body)
        self.web_server.asked.append(asked)
        reply = self.web_server.answer(asked)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


def self_signed(folder: Path, names: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """Return a certificate for *names* that is its own authority, and its key."""
    certificate, key = folder / "certificate.pem", folder / "certificate.key"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=a test", "-addext", f"subjectAltName={names}"]
    words += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([need("openssl", "openssl"), *words], check=True, capture_output=True, timeout=60)
    return certificate, key
