"""Nobody gets anywhere at the push receiver without the secret, nor can anybody keep others out."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.gitsync_push import BEARER, SECRET, Pushed, ask
from tests.support.memory import peak
from tests.support.ports import free_port
from tests.support.push_requests import PROVIDERS, Sent, push
from tests.support.strangers import Strangers, accepted
from tests.support.waiting import stays, until

MOST = 128  # connections


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "0"})
    return repository


@pytest.fixture
def pushed(tmp_path: Path, upstream: Repository) -> Iterator[Pushed]:
    with Pushed(tmp_path, upstream) as process:
        yield process


def test_callers_without_the_secret_are_refused_and_slowed_down_and_others_are_not(pushed: Pushed) -> None:
    for provider in PROVIDERS:
        assert pushed.post(push(provider, "wrong")).status == 401
    answers = [pushed.post(Sent({}, b"")) for _ in range(40)]
    assert {answer.status for answer in answers} == {401, 429}
    slowed = [answer for answer in answers if answer.status == 429]
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in slowed)
    for provider in PROVIDERS:
        assert pushed.post(push(provider, SECRET)).status == 202
    assert ask(pushed.port, "/sync", Sent(BEARER, b"")).status == 202
    assert pushed.pushes()[("generic", "rate_limited")] == len(slowed)


def test_other_paths_methods_types_and_sizes_are_refused(pushed: Pushed) -> None:
    sent = push("github", SECRET)
    assert pushed.post(sent, "/").status == 404
    assert pushed.post(sent, "/push/other").status == 404
    assert pushed.post(Sent({}, b""), method="GET").status == 405
    assert pushed.post(Sent(BEARER, b""), "/sync", "GET").headers["Allow"] == "POST"
    text = {**sent.headers, "Content-Type": "text/plain"}
    assert pushed.post(Sent(text, sent.body)).status == 415
    packed = {**sent.headers, "Content-Encoding": "gzip"}
    assert pushed.post(Sent(packed, sent.body)).status == 415
    said = {**sent.headers, "Content-Length": str(25 * 2**20 + 1)}
    assert pushed.post(Sent(said, b"")).status == 413
    assert b" 413 " in chunked(pushed.port, sent.headers, 26).splitlines()[0]
    stays(lambda: pushed.syncs() == 1, 0.5, "no sync")


def chunked(port: int, headers: Mapping[str, str], mebibytes: int) -> bytes:
    """Send a body whose length is not told before; return the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(
            f"POST /push HTTP/1.1\r\nHost: x\r\n{lines}Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        with contextlib.suppress(ConnectionError):  # it may have been answered before its end
            for _ in range(mebibytes):
                connection.sendall(b"100000\r\n" + bytes(2**20) + b"\r\n")
        return connection.recv(4096)


def test_a_large_body_that_is_signed_is_synced_for_without_a_look_at_its_ref(
    pushed: Pushed, upstream: Repository
) -> None:
    commit = upstream.commit({"a": "large"})
    large = push("github", SECRET, ref="refs/heads/other", commits=["x" * 5 * 2**20])
    assert pushed.post(large)[:2] == (202, "queued\n")
    pushed.wait_published(commit)
    assert pushed.post(push("github", "wrong", commits=["x" * 5 * 2**20])).status == 401


def _bodies() -> bytes:
    head = push("github", SECRET).headers | {"Content-Length": str(25 * 2**20)}
    return _head(head) + b"\r\n" + b"[" * 1_000_000


def _head(headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /push HTTP/1.1\r\nHost: x\r\n{lines}".encode()


ENDLESS = _head({f"X-{number}": "x" * 8000 for number in range(120)})


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(_bodies(), id="bodies"),
        pytest.param(_head({f"X-{number}": "x" * 400 for number in range(100)}), id="headers"),
        pytest.param(ENDLESS, id="endless-headers"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_many_slow_senders_neither_fill_the_memory_nor_keep_a_push_out(
    pushed: Pushed, upstream: Repository, sent: bytes
) -> None:
    before = peak(pushed.pid)
    with Strangers(pushed.port, 600) as strangers:
        strangers.send(sent)
        commit = upstream.commit({"a": "in spite of them"})
        assert pushed.post(push("gitea", SECRET, commit=commit)).status == 202
        pushed.wait_published(commit)
        until(lambda: accepted(pushed.port) <= MOST, 60, "the connections to be few")
        # those that have to go are closed in the next two turns of the loop, in which 64 may come each
        assert strangers.most_accepted <= MOST + 2 * 64
    assert peak(pushed.pid) - before < 40 * 2**20
    assert "Traceback" not in pushed.stderr


def test_gitsyncs_own_endpoint_is_as_hard_to_fill(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    with Gitsync(tmp_path, upstream.url, f"--http-bind=127.0.0.1:{port}", "--period=1h") as process:
        process.wait_published(upstream.head())
        until(lambda: ask(port, "/", Sent({}, b""), "GET").status == 200, 60, "readiness")
        before = peak(process.pid)
        for sent in (ENDLESS, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            with Strangers(port, 400) as strangers:
                strangers.send(sent)
                assert ask(port, "/", Sent({}, b""), "GET").status == 200
                until(lambda: accepted(port) <= MOST, 60, "the connections to be few")
        assert peak(process.pid) - before < 40 * 2**20
        assert "Traceback" not in process.stderr


def test_a_caller_who_waits_for_a_sync_is_not_sent_away_for_strangers(
    tmp_path: Path, upstream: Repository
) -> None:
    away = tmp_path / "away"
    with (
        Pushed(tmp_path, upstream, "--max-failures=-1") as process,
        socket.create_connection(("127.0.0.1", process.port), timeout=60) as waiting,
    ):
        upstream.bare.rename(away)
        waiting.sendall(_head(BEARER).replace(b"/push", b"/sync?wait=60s") + b"\r\n")
        process.wait_line("error syncing repo")
        with Strangers(process.port, 400) as strangers:
            strangers.send(b"POST /")
            away.rename(upstream.bare)
            assert ask(process.port, "/sync", Sent(BEARER, b"")).status == 202
            assert waiting.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_secrets_are_rotated_without_a_restart(tmp_path: Path, upstream: Repository) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("first secret\n")
    two.write_text("second secret\n")
    flags = [f"--push-secret-file={one}", f"--push-secret-file={two}"]
    with Pushed(tmp_path, upstream, *flags, secret="") as process:
        assert process.post(push("github", "first secret")).status == 202
        assert process.post(push("github", "second secret")).status == 202
        one.unlink()
        one.write_text("third secret")
        assert process.post(push("github", "third secret")).status == 202
        assert process.post(push("github", "first secret")).status == 401
        assert process.post(push("gitlab", "second secret")).status == 202


def test_a_receiver_without_a_secret_does_not_start(tmp_path: Path, upstream: Repository) -> None:
    empty, bind = tmp_path / "empty", f"--push-bind=127.0.0.1:{free_port()}"
    empty.write_text("\n")
    for flags, words in (
        ([], "PODMATES_GITSYNC_PUSH_SECRET or --push-secret-file"),
        ([f"--push-secret-file={empty}"], "is empty"),
        ([f"--push-secret-file={empty}.not"], "cannot read"),
    ):
        with Gitsync(tmp_path, upstream.url, bind, *flags) as process:
            assert process.wait(60) == 1
            assert words in process.stderr
            assert process.published() == ""
