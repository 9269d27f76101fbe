"""A webhook is called for each change, and its receiver can trust and understand it."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.waiting import until
from tests.support.web_server import Asked, Reply, WebServer

PATIENT = "--webhook-timeout=60s"  # a call that a busy machine answers after its second would come again


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def test_each_change_is_one_call_with_its_hash(tmp_path: Path, upstream: Repository) -> None:
    with (
        WebServer() as server,
        Gitsync(tmp_path, upstream.url, f"--webhook-url={server.url}/secret-path?x=1", PATIENT) as process,
    ):
        first = upstream.head()
        until(lambda: len(server.asked) == 1, 60, "the first call")
        second = upstream.commit({"a": "2"})
        until(lambda: len(server.asked) == 2, 60, "the second call")

        assert [(a.method, a.path, a.body) for a in server.asked] == [("POST", "/secret-path?x=1", b"")] * 2
        assert [a.headers["gitsync-hash"] for a in server.asked] == [first, second]
        (sent, _) = [m for m in process.messages() if m["msg"] == "sending webhook"]
        assert (sent["logger"], sent["hash"], sent["method"]) == ("webhook", first, "POST")
        assert sent["url"] == server.url


def test_one_that_fails_is_called_again_and_counted(tmp_path: Path, upstream: Repository) -> None:
    statuses = iter([500, 404, 200])

    with (
        WebServer(lambda asked: Reply(next(statuses, 200))) as server,
        Gitsync(
            tmp_path, upstream.url, f"--webhook-url={server.url}", "--webhook-backoff=1s", PATIENT
        ) as process,
    ):
        until(lambda: len(server.asked) == 3, 60, "the third call")
        assert process.published() == upstream.head()

        failed = [m for m in process.messages() if m["msg"] == "hook failed"]
        assert [m["logger"] for m in failed] == ["webhook"] * 2
        assert "answered 500, expected 200" in failed[0]["error"]


@pytest.mark.parametrize(("status", "end"), [(200, 0), (500, 1)])
def test_one_time_waits_for_the_first_call_and_tells_how_it_went(
    tmp_path: Path, upstream: Repository, status: int, end: int
) -> None:
    with (
        WebServer(lambda asked: Reply(status)) as server,
        Gitsync(tmp_path, upstream.url, "--one-time", f"--webhook-url={server.url}", PATIENT) as process,
    ):
        assert process.wait(60) == end
        assert len(server.asked) == 1
        assert process.published() == upstream.head()


def test_a_json_body_says_what_changed_and_is_signed_with_the_key_of_now(
    tmp_path: Path, upstream: Repository
) -> None:
    key = tmp_path / "key"
    key.write_text("one\n")
    with WebServer() as server:
        flags = [PATIENT, "--ref=main", "--webhook-format=json", f"--webhook-secret-file={key.name}"]
        url = f"--webhook-url={server.url}"
        with Gitsync(tmp_path, upstream.url, url, *flags, "--webhook-method=PUT") as process:
            first = upstream.head()
            until(lambda: len(server.asked) == 1, 60, "the first call")
            key.write_text("two")
            second = upstream.commit({"a": "2", "b": "2"})
            until(lambda: len(server.asked) == 2, 60, "the second call")
            link = str(process.link)

    bodies = [json.loads(asked.body) for asked in server.asked]
    assert [body.pop("sent_at")[-6:] for body in bodies] == ["+00:00"] * 2
    common = {"version": 1, "ref": "main", "repo": upstream.url, "link": link}
    assert bodies == [
        {**common, "hash": first, "previous_hash": None, "changed_files": None},
        {**common, "hash": second, "previous_hash": first, "changed_files": 2},
    ]
    assert [asked.headers["content-type"] for asked in server.asked] == ["application/json"] * 2
    assert [asked.method for asked in server.asked] == ["PUT"] * 2
    for asked, secret in zip(server.asked, (b"one", b"two"), strict=True):
        signed = hmac.new(secret, asked.body, hashlib.sha256).hexdigest()
        assert asked.headers["gitsync-signature-256"] == f"sha256={signed}"


def test_exechook_and_webhook_do_not_wait_for_each_other(tmp_path: Path, upstream: Repository) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply()

    with (
        WebServer(answer) as server,
        Gitsync(
            tmp_path,
            upstream.url,
            f"--webhook-url={server.url}",
            PATIENT,
            "--exechook-command=false",
            "--exechook-backoff=1h",
        ) as process,
    ):
        until(lambda: len(server.asked) == 1, 60, "the first call")
        process.wait_line("hook failed")
        upstream.commit({"a": "2"})
        until(lambda: len(server.asked) == 2, 60, "the second call")
