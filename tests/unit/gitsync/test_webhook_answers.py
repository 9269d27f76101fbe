"""Which answers to a webhook are a success: the status decides, and that there is one at all."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.runner import HookError
from podmates_gitsync.hooks.webhook import Call, Webhook
from podmates_gitsync.reports.logs import Log
from tests.support.web_server import Asked, Reply, WebServer

HASH = "d25c7cb50ef25a3b08f515c3b4804cbc7a3acf9e"


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


def call(url: str, wanted: int = 200, method: str = "POST") -> None:
    made = Call(url=url, method=method, status=wanted, timeout=30)
    Webhook(made, {}, Log(stream=io.StringIO())).run(Change(HASH))


@pytest.mark.parametrize(
    ("wanted", "answered", "fine"),
    [
        (200, 200, True),
        (200, 204, False),
        (204, 204, True),
        (0, 500, True),
        (-1, 404, True),
        (200, 500, False),
    ],
)
def test_the_status_decides(server: WebServer, wanted: int, answered: int, fine: bool) -> None:
    server.answer = lambda asked: Reply(answered)
    if fine:
        call(server.url, wanted)
    else:
        with pytest.raises(HookError, match=f"answered {answered}, expected {wanted}"):
            call(server.url, wanted)
    assert len(server.asked) == 1


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE", "PROPFIND"])
def test_the_method_is_the_users_and_the_hash_a_header(server: WebServer, method: str) -> None:
    call(f"{server.url}/x", method=method)

    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == (method, "/x", b"")
    assert asked.headers["gitsync-hash"] == HASH


def test_a_redirect_is_followed(server: WebServer) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(302, b"", {"Location": "/there"}) if asked.path == "/" else Reply(204)

    server.answer = answer
    call(f"{server.url}/", 204)

    assert [asked.path for asked in server.asked] == ["/", "/there"]


@pytest.mark.parametrize("wanted", [200, 0, -1])
def test_no_answer_is_always_a_failure(wanted: int) -> None:
    with WebServer() as server:
        url = server.url
    with pytest.raises(HookError):
        call(url, wanted)
