"""An askpass server is asked once per sync, and only a plain 200 is an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from podmates_gitsync.auth.askpass import Askpass, parse
from podmates_gitsync.auth.credentials import Pair
from podmates_gitsync.git.commands import GitError
from podmates_gitsync.outbound import client
from tests.support.thread_limit import no_more_threads
from tests.support.web_server import Reply, WebServer


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(lambda asked: Reply(200, b"username=u\npassword=p=1\n")) as running:
        yield running


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("username=u\npassword=p", ("u", "p")),
        ("password=a=b=\nusername=u\n", ("u", "a=b=")),
        ("username=u\r\npassword=p\r\n", ("u", "p")),
        ("username=u\npassword=p\nusername=v\n", ("v", "p")),
        ("host=h\n\nnonsense\nusername=u\npassword= p ", ("u", " p ")),
        ("", ("", "")),
        ("password=p", ("", "p")),
    ],
)
def test_lines_are_split_at_the_first_equals_sign(text: str, expected: tuple[str, str]) -> None:
    assert parse(text) == expected


def test_the_answer_is_for_the_repository_and_counted(server: WebServer) -> None:
    counts: list[bool] = []
    askpass = Askpass(f"{server.url}/x?y=1", "https://h/r", {}, count=counts.append)

    assert [askpass.pair(), askpass.pair()] == [Pair("https://h/r", "u", "p=1")] * 2
    assert [(asked.method, asked.path) for asked in server.asked] == [("GET", "/x?y=1")] * 2
    assert counts == [True, True]


def test_a_server_has_a_second_to_answer(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    given, real = list[float](), client.request

    def request(*words: Any, timeout: float, **more: Any) -> client.Answer:
        given.append(timeout)
        return real(*words, timeout=30, **more)

    monkeypatch.setattr(client, "request", request)
    Askpass(server.url, "https://h/r", {}, count=lambda _: None).pair()
    assert given == [1.0]


@pytest.mark.parametrize("status", [201, 204, 301, 302, 401, 404, 500])
def test_any_other_status_is_a_failure_and_no_redirect_is_followed(server: WebServer, status: int) -> None:
    server.answer = lambda asked: Reply(status, b"username=u\npassword=p", {"Location": "/other"})
    counts: list[bool] = []
    askpass = Askpass(server.url.replace("://", "://a:hunter2@"), "https://h/r", {}, count=counts.append)

    with pytest.raises(GitError, match=f"status {status}") as caught:
        askpass.pair()

    assert "hunter2" not in str(caught.value)
    assert counts == [False]
    assert len(server.asked) == 1


def test_an_answer_without_end_is_a_failure(server: WebServer) -> None:
    server.answer = lambda asked: Reply(200, b"x" * (2 << 20))
    with pytest.raises(GitError, match="too long"):
        Askpass(server.url, "r", {}, count=lambda worked: None).pair()


def test_nobody_there_is_a_failure() -> None:
    counts: list[bool] = []
    with pytest.raises(GitError, match=r"askpass: GET .*: Connection refused"):
        Askpass("http://127.0.0.1:1/", "r", {}, count=counts.append).pair()

    assert counts == [False]


def test_no_room_for_one_more_thread_is_a_failure(server: WebServer) -> None:
    counts: list[bool] = []
    with no_more_threads(), pytest.raises(GitError, match="can't start new thread"):
        Askpass(server.url, "r", {}, count=counts.append).pair()

    assert counts == [False]
