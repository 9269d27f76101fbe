"""A call works when the answer has the wanted status, and says what went wrong when not."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest

from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.runner import HookError
from podmates_gitsync.hooks.webhook import Call, Webhook
from podmates_gitsync.reports.logs import Log
from tests.support.ports import free_port
from tests.support.web_server import Asked, Reply, WebServer

CHANGE = Change("abc", "old", b"")


def call(
    url: str,
    *,
    method: str = "POST",
    status: int = 200,
    timeout: float = 30,
    key_file: Path | None = None,
    environ: dict[str, str] | None = None,
) -> str:
    """Call once and return the log."""
    stream = io.StringIO()
    body = (lambda change, sent_at: b"{}") if key_file else None
    made = Call(url=url, method=method, status=status, timeout=timeout, body=body, key_file=key_file)
    Webhook(made, environ or {}, Log(9, stream=stream)).run(CHANGE)
    return stream.getvalue()


STATUSES = {
    "the wanted one": (200, 200, True),
    "another success": (204, 200, False),
    "another wanted one": (204, 204, True),
    "an error": (500, 200, False),
    "an error that is wanted": (418, 418, True),
    "0 is any": (500, 0, True),
    "-1 is any": (404, -1, True),
    "a redirect to nowhere": (302, 200, False),
}


@pytest.mark.parametrize(("answered", "wanted", "works"), STATUSES.values(), ids=STATUSES.keys())
def test_the_status_decides(answered: int, wanted: int, works: bool) -> None:
    with WebServer(lambda asked: Reply(answered)) as server:
        if works:
            call(server.url, status=wanted)
        else:
            with pytest.raises(HookError, match=f"answered {answered}, expected {wanted}"):
                call(server.url, status=wanted)


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE", "PURGE"])
def test_the_method_is_the_users_and_there_is_no_body(method: str) -> None:
    with WebServer() as server:
        call(f"{server.url}/path?q=1", method=method)

        (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == (method, "/path?q=1", b"")
    assert asked.headers["gitsync-hash"] == "abc"
    assert "content-type" not in asked.headers
    assert "gitsync-signature-256" not in asked.headers


@pytest.mark.parametrize("method", ["A B", "GET / HTTP/1.1\r\nX:", "GÉT"])
def test_what_is_no_method_is_not_sent(method: str) -> None:
    with WebServer() as server:
        with pytest.raises(HookError, match="not a method"):
            call(server.url, method=method)

        assert server.asked == []


def test_no_method_is_a_get() -> None:
    with WebServer() as server:
        call(server.url, method="")
        assert server.asked[0].method == "GET"


@pytest.mark.parametrize(
    ("status", "methods"), [(302, ["POST", "GET"]), (307, ["POST", "POST"])], ids=["302", "307"]
)
def test_redirects_are_followed_with_the_hash(status: int, methods: list[str]) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply() if asked.path == "/there" else Reply(status, headers={"Location": "/there"})

    with WebServer(answer) as server:
        call(f"{server.url}/here")

        assert [asked.method for asked in server.asked] == methods
        assert [asked.headers["gitsync-hash"] for asked in server.asked] == ["abc", "abc"]


@pytest.mark.parametrize("status", [200, 0, -1])
def test_no_answer_is_a_failure_whatever_the_status(status: int) -> None:
    with pytest.raises(HookError, match="refused"):
        call(f"http://127.0.0.1:{free_port()}", status=status)


@pytest.mark.parametrize("status", [200, 0])
def test_an_answer_that_is_late_is_a_failure(status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(HookError, match="timed out"):
            call(f"http://127.0.0.1:{port}", status=status, timeout=0.2)


def test_the_body_of_the_answer_is_part_of_it() -> None:
    short = Reply(200, b"not all", {"Content-Length": "100"})
    with WebServer(lambda asked: short) as server, pytest.raises(HookError, match="malformed answer"):
        call(server.url)


def test_a_proxy_is_used_but_for_loopback() -> None:
    with WebServer() as proxy, WebServer() as server:
        environ = {"http_proxy": proxy.url, "HTTP_PROXY": proxy.url}
        call("http://somewhere.example/hook", environ=environ)
        call(server.url, environ=environ)

        assert [asked.path for asked in proxy.asked] == ["http://somewhere.example/hook"]
        assert len(server.asked) == 1


def test_what_of_the_url_may_be_secret_is_in_no_log_and_no_error() -> None:
    with WebServer(lambda asked: Reply(500)) as server:
        url = server.url.replace("http://", "http://user:hunter2@") + "/hunter3?token=hunter4"
        with pytest.raises(HookError) as failure:
            call(url)
        log = call(url, status=0)

    assert "hunter" not in str(failure.value) + log
    (sent,) = [json.loads(line) for line in log.splitlines()]
    assert sent["msg"] == "sending webhook"
    assert (sent["url"], sent["method"], sent["timeout"]) == (server.url, "POST", "30s")


@pytest.mark.parametrize(
    "content", [None, "", "\n", "k" * 65537], ids=["missing", "empty", "only a newline", "too large"]
)
def test_without_a_key_nothing_is_sent(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    with WebServer() as server:
        with pytest.raises(HookError, match="key"):
            call(server.url, key_file=file)
        assert server.asked == []


def test_what_is_no_url_is_a_failure() -> None:
    with pytest.raises(HookError, match="not a URL"):
        call("nonsense")
