"""Git over HTTP as servers speak it: Python's HTTP server before git's own ``git http-backend``.

Smart protocol in versions 0 to 2, compressed and chunked request bodies, and basic authentication on demand.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.git_repo import git_environment
from tests.support.programs import need


class GitServer:
    """Serves every repository below *root*; use it as a context manager.

    Attributes:
        url: of *root*, without a slash at the end; the repository ``bare.git`` is ``f"{url}/bare.git"``.
        requests: "METHOD path" of each request so far.
        credentials: (user, password) that every request must bring; None lets everybody in. May be changed
            while it runs.
        failure: a status that every request gets instead of an answer, 0 for none.
        spoiled: what requests get that the sidecar makes itself, raw; git is answered as ever.
        large: large files that it has, by their SHA-256; git-lfs asks for them.
        delivered: the Authorization headers that came, for tests of what is sent where.
    """

    def __init__(self, root: Path, credentials: tuple[str, str] | None = None) -> None:
        self.root = root
        self.git = need("git", "git")
        self.credentials = credentials
        self.failure = 0
        self.spoiled = b""
        self.requests: list[str] = []
        self.large: dict[str, bytes] = {}
        self.delivered: list[str] = []
        owner = self

        class Bound(_Handler):
            git_server = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; requests under way end first."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    git_server: GitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        pass  # tests look at `requests`

    def _answer(self) -> None:
        body = self._body()
        server = self.git_server
        server.requests.append(f"{self.command} {self.path}")
        given = self.headers.get("Authorization", "")
        if given:
            server.delivered.append(given)
        if server.spoiled and "gitsync" in self.headers.get("User-Agent", ""):
            self.wfile.write(server.spoiled)
            self.close_connection = True
        elif server.failure:
            self._refuse(server.failure)
        elif server.credentials and given != _basic(*server.credentials):
            self._refuse(HTTPStatus.UNAUTHORIZED)
        elif "/lfs/" in self.path:
            self._large(body)
        else:
            self._backend(body)

    def _large(self, body: bytes) -> None:
        """Answer a question for large files, or for one; in the words of git-lfs's batch API."""
        large, name = self.git_server.large, self.path.rpartition("/")[2]
        if name == "batch":
            found = [
                {
                    "oid": wanted["oid"],
                    "size": len(large[wanted["oid"]]),
                    "actions": {"download": {"href": f"{self.git_server.url}/lfs/{wanted['oid']}"}},
                }
                for wanted in json.loads(body)["objects"]
            ]
            content = json.dumps({"transfer": "basic", "objects": found}).encode()
        else:
            content = large[name]
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/vnd.git-lfs+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            data = b"".join(iter(self._chunk, b""))
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _backend(self, body: bytes) -> None:
        """Run the CGI program; RFC 3875 names the variables."""
        path, _, query = self.path.partition("?")
        user = self.git_server.credentials[0] if self.git_server.credentials else ""
        variables = {
            **git_environment(self.git_server.root),
            "GIT_PROJECT_ROOT": str(self.git_server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": user,
            "REMOTE_ADDR": "127.0.0.1",
        }
        command = [self.git_server.git, "-c", "safe.directory=*", "http-backend"]
        done = subprocess.run(command, input=body, env=variables, capture_output=True, timeout=120)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status, fields = 200 if done.stdout else 500, []
        for line in head.decode("latin-1").splitlines():
            name, _, value = line.partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                fields.append((name, value.strip()))
        self.send_response(status)
        for field in fields:
            self.send_header(*field)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
