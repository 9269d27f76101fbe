"""What is no push, and often no HTTP, is answered and costs no sync and no line that is not ours."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync_push import SECRET, Pushed
from tests.support.push_requests import Sent, digest, push
from tests.support.strangers import accepted
from tests.support.waiting import until

HARD = (
    b"[" * 10**6,
    b'{"ref":' * 140_000,
    b'{"ref":' + b"9" * 10**6 + b"}",
    b"[" + b"[]," * 300_000 + b"[]]",
)


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "0"})
    return repository


@pytest.fixture
def pushed(tmp_path: Path, upstream: Repository) -> Iterator[Pushed]:
    with Pushed(tmp_path, upstream) as process:
        yield process


def request(line: str = "POST /push HTTP/1.1", *more: str, body: bytes | None = None) -> bytes:
    """Return a push with the right signature; *more* lines take the place of the length."""
    sent = push("github", SECRET)
    data = sent.body if body is None else body
    lines = more or (f"Content-Length: {len(data)}",)
    headers = [f"{name}: {value}" for name, value in sent.headers.items()]
    return "\r\n".join([line, "Host: x", *headers, *lines, "", ""]).encode() + data


def sent(port: int, data: bytes) -> bytes:
    """Return the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(data)
        return connection.recv(4096)


def test_what_is_no_http_is_refused_and_not_logged(pushed: Pushed) -> None:
    chunked = "Transfer-Encoding: chunked"
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /push HTTP/9.9\r\n\r\n",
        request("POST http://[::1/push HTTP/1.1"),
        request("POST /" + "a" * 9000 + " HTTP/1.1"),
        request("POST /push HTTP/1.1", "Content-Length: 5", "Content-Length: 7"),
        request("POST /push HTTP/1.1", "Content-Length: 5", chunked),
        request("POST /push HTTP/1.1", "Content-Length: -5"),
        request("POST /push HTTP/1.1", f"Content-Length: 1{'0' * 30}"),
        request("POST /push HTTP/1.1", chunked, body=b"zz\r\n"),
        request("POST /push HTTP/1.1", chunked, body=b"f" * 40 + b"\r\n"),
        request("POST /push HTTP/1.1", "X-Odd: a\0b"),
        request("POST /push HTTP/1.1", *(f"X-{number}: " for number in range(200))),
    ):
        assert b" 400 " in sent(pushed.port, data).splitlines()[0], data[:200]
    assert_quiet(pushed)
    assert pushed.syncs() == 1


def test_old_clients_and_odd_ways_to_write_it_are_served(pushed: Pushed) -> None:
    for data in (
        request("POST /push HTTP/1.0"),
        request("POST http://anything/push?x=y HTTP/1.1"),
        request("POST /pus%68 HTTP/1.1"),
        request("POST /push HTTP/1.1", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 0", body=b""),
    ):
        status = sent(pushed.port, data).split(b" ")[1]
        assert status == (b"401" if data.endswith(b"\r\n\r\n") else b"202"), data[:60]


def test_requests_that_do_not_wait_for_answers_are_all_answered(pushed: Pushed) -> None:
    with socket.create_connection(("127.0.0.1", pushed.port), timeout=60) as connection:
        connection.sendall(b"".join(request() for _ in range(40)))
        answers = b""
        while answers.count(b"HTTP/1.1 202 ") < 40:
            data = connection.recv(65536)
            assert data, answers
            answers += data


def test_senders_that_go_in_the_middle_leave_nothing(pushed: Pushed, upstream: Repository) -> None:
    data = request("POST /push HTTP/1.1", "Content-Length: 100000", body=b"[" * 5000)

    def come_and_go() -> None:
        """Half of them go at once and without a farewell, the others when newer ones need their place."""
        with contextlib.ExitStack() as staying:
            for number in range(250):
                connection = socket.create_connection(("127.0.0.1", pushed.port), timeout=60)
                with contextlib.suppress(ConnectionError):
                    connection.sendall(data)
                if number % 2:
                    staying.enter_context(connection)
                else:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.close()

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    commit = upstream.commit({"a": "after them"})
    assert pushed.post(push("gitea", SECRET, commit=commit)).status == 202
    pushed.wait_published(commit)
    until(lambda: accepted(pushed.port) == 0, 60, "no connection to be left")
    assert_quiet(pushed)


def test_bodies_made_to_be_hard_to_read_are_synced_for(pushed: Pushed) -> None:
    for body in HARD:
        headers = push("github", SECRET).headers | {"X-Hub-Signature-256": f"sha256={digest(SECRET, body)}"}
        syncs = pushed.syncs()
        assert pushed.post(Sent(headers, body))[:2] == (202, "queued\n")
        until(lambda before=syncs: pushed.syncs() > before, 60, "the sync")  # type: ignore[misc]
    assert_quiet(pushed)


def assert_quiet(process: Pushed) -> None:
    """Check that its log has but our lines."""
    for line in process.stderr.split("\n")[:-1]:
        assert json.loads(line)["ts"]


@pytest.mark.skipif(not os.environ.get("SOAK"), reason="a long form: SOAK=1")
def test_slow_senders_are_sent_away(pushed: Pushed) -> None:
    with (
        socket.create_connection(("127.0.0.1", pushed.port), timeout=60) as body,
        socket.create_connection(("127.0.0.1", pushed.port), timeout=120) as head,
    ):
        head.sendall(b"POST /push HTTP/1.1\r\nX: ")
        body.sendall(request("POST /push HTTP/1.1", "Content-Length: 100000", body=b"["))
        began = time.monotonic()
        assert body.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began >= 25
        while head.recv(4096):
            pass
        assert time.monotonic() - began >= 60
    assert_quiet(pushed)
