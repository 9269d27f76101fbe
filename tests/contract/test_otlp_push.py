"""Pushing to a receiver that works, fails, stalls, lies or is not there."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from podmates_common.admin import About
from podmates_metrics import command, config
from podmates_metrics.app import App
from podmates_metrics.otlp.config import Push
from podmates_metrics.otlp.push import Pusher, Snapshot
from podmates_metrics.sources.base import Family, Sample
from podmates_metrics.statsd import hot
from tests.support.certificates import Authority
from tests.support.otlp_receiver import Receiver
from tests.support.ports import free_port

X = [Sample((), 1), Sample((("a", "b"),), 2)]
FAMILIES: dict[str, Family] = {"x": Family("x", "gauge", "", X)}


def totals(
    push: Push,
    then: Callable[[], object] = lambda: None,
    timeout: float = 30,
    families: dict[str, Family] = FAMILIES,
) -> dict[str, float]:
    """Push once, do *then*, push again; return the self metrics without their beginning."""

    async def look(patience: float) -> Snapshot:
        return [], families, {}

    async def body() -> dict[str, float]:
        pusher = Pusher(push, look, "1.0")
        await pusher.once(timeout)
        then()
        await pusher.close()
        told = pusher.totals()
        return {
            "/".join([name.removeprefix("podmates_otlp_"), *labels]): value
            for name, values in told.items()
            for labels, value in values.items()
        }

    return asyncio.run(body())


FAILED = {
    "pushes_total/success": 0,
    "pushes_total/failure": 2,
    "points_total": 0,
    "rejected_points_total": 0,
}


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_receiver_gets_everything_with_its_headers(tmp_path: Path, compression: str) -> None:
    token = tmp_path / "token"
    token.write_text("Bearer one\n")
    with Receiver() as receiver:
        push = Push(
            f"{receiver.url}/v1/metrics?x=y",
            compression=compression,
            headers=(("X-Tenant", "a"),),
            header_files=(("Authorization", str(token)),),
            resource=(("service.name", "shop"),),
        )
        counted = totals(push, lambda: token.write_text("Bearer two\n"))

    assert counted.pop("last_success_timestamp_seconds") > 1e9
    assert counted == FAILED | {"pushes_total/success": 2, "pushes_total/failure": 0, "points_total": 4}
    one, two = receiver.requests
    assert one.path == "/v1/metrics?x=y"
    assert one.headers["content-type"] == "application/json"
    assert one.headers.get("content-encoding") == ("gzip" if compression == "gzip" else None)
    assert (one.headers["x-tenant"], one.headers["authorization"]) == ("a", "Bearer one")
    assert two.headers["authorization"] == "Bearer two"
    assert "shop" in str(one.message["resourceMetrics"][0]["resource"])


def test_a_process_has_an_id_of_its_own_where_that_is_wanted_and_none_is_said() -> None:
    told = []
    for resource in ((), (), (("service.instance.id", "7"),)):
        with Receiver() as receiver:
            totals(Push(receiver.url, identified=True, resource=resource))
        told.append([request.resource()["service.instance.id"] for request in receiver.requests])

    (one, again), (two, _), given = told
    assert one == again != two and len(one) == 36
    assert given == ["7", "7"]


@pytest.mark.parametrize("suffixes", [True, False])
def test_names_go_as_on_the_page_or_without_their_suffixes(suffixes: bool) -> None:
    with Receiver() as receiver:
        totals(
            Push(receiver.url, suffixes=suffixes), families={"x_total": Family("x_total", "counter", "", X)}
        )

    assert [metric["name"] for metric in receiver.requests[0].metrics()] == ["x_total" if suffixes else "x"]


@pytest.mark.parametrize("status", [301, 400, 401, 429, 500, 503])
def test_a_refusal_is_counted_and_goes_nowhere_else(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver() as receiver, Receiver() as elsewhere:
        receiver.status, receiver.headers = status, {"Location": elsewhere.url}
        push = Push(receiver.url, headers=(("Authorization", "secret"),))

        assert totals(push) == FAILED
        assert elsewhere.requests == []
    assert f"answered with HTTP status {status}" in caplog.text
    assert "secret" not in caplog.text
    assert len([record for record in caplog.records if "otlp" in record.getMessage()]) == 1


def test_it_comes_back_by_itself() -> None:
    with Receiver() as receiver:
        receiver.status = 503
        counted = totals(Push(receiver.url), lambda: setattr(receiver, "status", 200))

    assert (counted["pushes_total/success"], counted["pushes_total/failure"]) == (1, 1)


def test_a_receiver_that_is_not_there_or_says_nothing_costs_its_time_only() -> None:
    assert totals(Push(f"http://127.0.0.1:{free_port()}")) == FAILED
    with Receiver() as receiver:
        receiver.held.clear()
        assert totals(Push(receiver.url, timeout=0.2), timeout=0.2) == FAILED


@pytest.mark.parametrize("url", ["http://a..b/", "http://h:99999/", "http://*/"])
def test_an_address_that_cannot_be_asked_is_a_push_that_failed(url: str) -> None:
    assert totals(Push(url)) == FAILED


def test_a_fault_of_ours_is_counted_and_told_by_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    async def look(patience: float) -> Snapshot:
        raise KeyError("hidden42")

    async def body() -> None:
        pusher = Pusher(Push("http://localhost:1/"), look, "1.0")
        await pusher.once(30)
        assert pusher.totals()["podmates_otlp_pushes_total"]["failure",] == 1
        await pusher.close()

    asyncio.run(body())
    assert "otlp: internal error: KeyError" in caplog.text
    assert "hidden42" not in caplog.text


def test_what_cannot_be_closed_keeps_nothing_else_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    async def close(_: object) -> None:
        raise KeyError("hidden42")

    monkeypatch.setattr(Pusher, "close", close)
    file, port = tmp_path / "rules.yaml", free_port()
    file.write_text(f"otlp: {{endpoint: 'http://127.0.0.1:{free_port()}'}}")
    flags = [f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}", "--statsd.listen-tcp="]
    settings = command.load(command.words([*flags, "--statsd.listen-udp=127.0.0.1:0"]), {}).settings

    async def body() -> None:
        stop, files = asyncio.Event(), config.read(settings, {})
        app = App(settings, files, hot, About("a", "1", {"parser": "python"}), read=lambda: files)
        stop.set()
        await app.run(stop)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(body())
    assert "closing: KeyError" in caplog.text
    assert "hidden42" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "rejected"),
    [
        (b'{"partialSuccess": {"rejectedDataPoints": "1", "errorMessage": "old"}}', 1),
        (b'{"partialSuccess": {"rejectedDataPoints": 1}}', 1),
        (b'{"partialSuccess": {"rejectedDataPoints": 1e300}}', 2),
        (b'{"partialSuccess": {"rejectedDataPoints": "-5"}}', 0),
        (b'{"partialSuccess": {}}', 0),
        (b"", 0),
        (b"\xff not JSON", 0),
        (b"[" * 60_000, 0),
        (b"[]", 0),
    ],
)
def test_points_that_are_refused_are_counted(answer: bytes, rejected: int) -> None:
    with Receiver() as receiver:
        receiver.answer = answer
        counted = totals(Push(receiver.url))

    assert counted["rejected_points_total"] == 2 * rejected
    assert counted["points_total"] == 4 - 2 * rejected


@pytest.mark.parametrize("content", [None, "", "a\nb", "é"])
def test_a_header_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_text(content)
    with Receiver() as receiver:
        assert totals(Push(receiver.url, header_files=(("Authorization", str(token)),))) == FAILED
        assert receiver.requests == []
    assert f"header file {token}" in caplog.text


def test_pipes_in_the_place_of_files_hold_no_push_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with Receiver() as receiver:
        assert totals(Push(receiver.url, header_files=(("Authorization", str(pipe)),))) == FAILED
        assert totals(Push(receiver.url, ca_file=str(pipe))) == FAILED

    assert receiver.requests == []
    assert f"header file {pipe}: OSError" in caplog.text
    assert "ca_file: not a regular file" in caplog.text


def test_only_a_receiver_with_a_good_certificate_is_told_anything(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    certificate = authority.issue("receiver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    with Receiver(tls=context) as receiver:
        assert totals(Push(receiver.url, ca_file=str(stranger.file))) == FAILED
        assert totals(Push(receiver.url)) == FAILED
        assert totals(Push(receiver.url, ca_file=str(tmp_path / "missing"))) == FAILED
        assert receiver.requests == []
        assert totals(Push(receiver.url, ca_file=str(authority.file)))["points_total"] == 4
