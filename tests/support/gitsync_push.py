"""The sidecar with a push receiver, and requests to it."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.ports import free_port
from tests.support.push_requests import Sent
from tests.support.waiting import until

SECRET = "correct horse battery"
BEARER = {"Authorization": f"Bearer {SECRET}"}


class Answer(NamedTuple):
    status: int
    text: str
    headers: Mapping[str, str]


class Pushed(Gitsync):
    """The sidecar with an hour between two syncs, a push receiver and the metrics."""

    def __init__(
        self, folder: Path, upstream: Repository, *flags: str, secret: str = SECRET, apart: bool = True
    ) -> None:
        self.port = free_port()
        self.http = free_port() if apart else self.port
        listen = [
            f"--push-bind=127.0.0.1:{self.port}",
            f"--http-bind=127.0.0.1:{self.http}",
            "--http-metrics",
        ]
        env = {"PODMATES_GITSYNC_PUSH_SECRET": secret} if secret else {}
        super().__init__(folder, upstream.url, "--period=1h", "--ref=main", *listen, *flags, env=env)
        if upstream.bare.exists():
            self.wait_published(upstream.head())
            until(lambda: self.syncs() == 1, 30, "the first sync to be counted")

    def post(self, sent: Sent, path: str = "/push", method: str = "POST") -> Answer:
        return ask(self.port, path, sent, method)

    def syncs(self) -> int:
        text = ask(self.http, "/metrics", Sent({}, b""), "GET").text
        return sum(int(n) for n in re.findall(r"^git_sync_count_total\{.*\} (\d+)$", text, re.MULTILINE))

    def polls(self) -> dict[str, int]:
        text = ask(self.http, "/metrics", Sent({}, b""), "GET").text
        return {how: int(n) for how, n in re.findall(r'git_sync_poll_total\{how="(.*)"\} (\d+)', text)}

    def pushes(self) -> dict[tuple[str, str], int]:
        text = ask(self.http, "/metrics", Sent({}, b""), "GET").text
        rows = re.findall(r'git_sync_push_requests_total\{provider="(.*)",result="(.*)"\} (\d+)', text)
        return {(provider, result): int(number) for provider, result, number in rows}


def ask(port: int, path: str, sent: Sent, method: str = "POST") -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, sent.body, sent.headers)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(), dict(response.getheaders()))
    finally:
        connection.close()
