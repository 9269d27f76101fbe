"""The adapter started as json_exporter, and targets for it to ask."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tests.support.processes import Finished, Process, run
from tests.support.programs import script
from tests.support.waiting import until
from tests.support.web import Answer, get


class JsonExporter(Process):
    """The process, with a file of *modules*, and its port."""

    def __init__(self, folder: Path, modules: str, *flags: str) -> None:
        self.file, self.web = folder / "config.yml", free_port()
        self.file.write_text(modules)
        link = folder / "json_exporter"
        link.symlink_to(script("podmates-metrics"))
        own = [f"--config.file={self.file}", f"--web.listen-address=127.0.0.1:{self.web}"]
        super().__init__([link, *own, *flags])

    def __enter__(self) -> Self:
        try:
            until(lambda: self.get("/livez").status == 200, 60, "it to listen", ignoring=(OSError,))
        except AssertionError as error:
            raise AssertionError(f"{error}; its output:\n{self.output}") from None
        return self

    def get(self, path: str) -> Answer:
        return get(f"http://127.0.0.1:{self.web}{path}")

    def probe(self, target: str, module: str = "default", **more: str) -> Answer:
        return self.get("/probe?" + urllib.parse.urlencode({"module": module, "target": target, **more}))


Page = tuple[int, bytes, dict[str, str]]


class Target(ThreadingHTTPServer):
    """Pages by path: (status, body, headers). ``/echo`` tells the request; ``/hang`` waits until the end.

    Attributes:
        requests: of each the method, path, headers and body.
    """

    daemon_threads = True

    def __init__(
        self, pages: dict[str, Page] | None = None, *, context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._scheme = "https" if context else "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.pages = pages or {}
        self.requests: list[tuple[str, str, dict[str, str], str]] = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    def url(self, path: str) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = self.path.partition("?")[0]
        seen = (self.command, self.path, dict(self.headers), body)
        self.server.requests.append(seen)
        if path == "/hang":
            self.server.over.wait(60)
        status, answer, headers = self.server.pages.get(path, (404, b"", {}))
        if path == "/echo":
            names = ("method", "path", "headers", "body")
            status, answer = 200, json.dumps(dict(zip(names, seen, strict=True))).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked may have gone
            self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


def command(folder: Path, *flags: str, name: str = "json_exporter") -> Finished:
    """Run the adapter to its end under *name*, in *folder*."""
    link = folder / name
    link.unlink(missing_ok=True)
    link.symlink_to(script("podmates-metrics"))
    return run([link, *flags], cwd=folder)
