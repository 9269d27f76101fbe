"""The question over a real socket: one connection, one deadline, one credential, no patience."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from podmates_gitsync.polling.asking import Asker
from podmates_gitsync.polling.connection import LIMIT
from podmates_gitsync.polling.eligibility import Held, endpoint
from podmates_gitsync.polling.failures import ExchangeError, TooLong
from podmates_gitsync.polling.lsrefs import NotVersion2
from podmates_gitsync.polling.pktline import Marker, ProtocolError, packet
from tests.support.programs import need
from tests.support.scripted_http import HANG_UP, STALL, ScriptedServer, response

A, B = "a" * 40, "b" * 40
KIND = "application/x-git-upload-pack"
FLUSH = Marker.FLUSH.value
ABLE = response(packet("version 2") + packet("ls-refs") + FLUSH, f"{KIND}-advertisement")


def refs(commit: str, name: str = "refs/heads/main", *fields: str) -> bytes:
    return response(packet(f"{commit} {name}") + FLUSH, f"{KIND}-result", "200 OK", *fields)


class Clock:
    """The monotonic clock, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def asker(port: int, clock: Clock | None = None) -> Asker:
    where = endpoint(f"http://127.0.0.1:{port}/a/b.git")
    assert where is not None
    return Asker(where, "main", clock=clock or Clock())


def ask(asking: Asker, held: Held | None = None, seconds: float = 30) -> str | None:
    return asking.ask(held, time.monotonic() + seconds)


def test_the_second_question_is_one_request_over_the_same_connection() -> None:
    with ScriptedServer([ABLE, refs(A), refs(B), refs(A, "refs/heads/other")]) as server:
        asking = asker(server.port)
        assert [ask(asking), ask(asking), ask(asking)] == [A, B, None]
        asking.close()

    lines = [request.partition(b"\r\n")[0] for request in server.requests]
    post = b"POST /a/b.git/git-upload-pack HTTP/1.1"
    assert lines == [b"GET /a/b.git/info/refs?service=git-upload-pack HTTP/1.1", post, post, post]
    assert all(b"Git-Protocol: version=2\r\n" in request for request in server.requests)
    assert all(b"User-Agent: git/" in request for request in server.requests)
    assert all(f"Host: 127.0.0.1:{server.port}\r\n".encode() in request for request in server.requests)
    assert server.connections == 1


def test_a_credential_is_sent_at_once_and_as_it_is_in_this_loop() -> None:
    with ScriptedServer([ABLE, refs(A), refs(A), refs(A)]) as server:
        asking = asker(server.port)
        for held in (Held("x", "user", "pä"), Held("x", "user", "new"), None):
            ask(asking, held)
        asking.close()

    sent = [base64.b64encode(pair.encode()) for pair in ("user:pä", "user:new")]
    assert sent[0] in server.requests[0]
    assert sent[0] in server.requests[1]
    assert sent[1] in server.requests[2]
    assert b"Authorization" not in server.requests[3]


def test_a_connection_that_the_server_closed_is_opened_again_once() -> None:
    with ScriptedServer([ABLE, refs(A), HANG_UP, refs(B)]) as server:
        asking = asker(server.port)
        assert [ask(asking), ask(asking)] == [A, B]
        asking.close()
    assert server.connections == 2


def test_a_server_that_only_hangs_up_is_an_error_after_one_more_try() -> None:
    with ScriptedServer([ABLE, refs(A), HANG_UP, HANG_UP, refs(B)]) as server:
        asking = asker(server.port)
        ask(asking)
        with pytest.raises(ExchangeError):
            ask(asking)
        asking.close()
    assert len(server.requests) == 4


@pytest.mark.parametrize("fields", [("Connection: close",), ()], ids=["told", "not told"])
def test_a_connection_that_ends_between_two_questions_costs_no_answer(fields: tuple[str, ...]) -> None:
    with ScriptedServer([ABLE, refs(A, "refs/heads/main", *fields), refs(B)]) as server:
        asking = asker(server.port)
        assert [ask(asking), ask(asking)] == [A, B]
        asking.close()


def test_an_old_connection_is_not_used_because_the_name_may_mean_another_server() -> None:
    clock = Clock()
    with ScriptedServer([ABLE, refs(A), refs(A), refs(B)]) as server:
        asking = asker(server.port, clock)
        ask(asking)
        ask(asking)
        assert server.connections == 1
        clock.ahead = 301.0
        asking.ask(None, clock() + 30)
        asking.close()
    assert server.connections == 2


HEAD_ONLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\n"
NONSENSE = {
    "refused": (response(b"", "text/plain", "401 Unauthorized"), ExchangeError),
    "not found": (response(b"", "text/plain", "404 Not Found"), ExchangeError),
    "down": (response(b"", "text/plain", "503 Down"), ExchangeError),
    "elsewhere": (response(b"", "text/plain", "301 Moved", "Location: http://127.0.0.1:1/"), ExchangeError),
    "another status with refs": (
        response(packet(f"{A} refs/heads/main") + FLUSH, f"{KIND}-result", "203 Maybe"),
        ExchangeError,
    ),
    "a page": (response(b"<html>", "text/html"), ExchangeError),
    "a page that claims to be git": (response(b"<html>", f"{KIND}-result"), ProtocolError),
    "no end": (response(packet(f"{A} refs/heads/main"), f"{KIND}-result"), ProtocolError),
    "an error of the server": (response(packet("ERR no"), f"{KIND}-result"), ProtocolError),
    "cut off": (HEAD_ONLY + b"Content-Length: 90\r\nConnection: close\r\n\r\n0000", ExchangeError),
    "compressed": (response(b"\x1f\x8b\x08", f"{KIND}-result", "200 OK"), ProtocolError),
    "no http": (b"hello\r\n\r\n", ExchangeError),
    "too long": (HEAD_ONLY + b"Content-Length: 2000000\r\n\r\n" + b"0" * (LIMIT + 9), TooLong),
    "a head without end": (b"HTTP/1.1 100 Continue\r\n\r\n" * 80_000, TooLong),
    "too many fields": (HEAD_ONLY + b"X: y\r\n" * 1000 + b"\r\n", ExchangeError),
}


@pytest.mark.parametrize(("answer", "kind"), NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_answer_is_an_error_and_the_server_is_looked_at_anew(
    answer: bytes, kind: type[Exception]
) -> None:
    with ScriptedServer([ABLE, answer, ABLE, refs(B)]) as server:
        asking = asker(server.port)
        with pytest.raises(kind):
            ask(asking)
        assert ask(asking) == B
        asking.close()


def test_an_old_server_is_told_apart() -> None:
    old = packet("# service=git-upload-pack") + FLUSH + packet(f"{A} HEAD\0caps") + FLUSH
    with ScriptedServer([response(old, f"{KIND}-advertisement")]) as server, pytest.raises(NotVersion2):
        ask(asker(server.port))


@pytest.mark.parametrize(
    ("answers", "drip"),
    [([STALL], 0.0), ([ABLE, STALL], 0.0), ([ABLE], 0.2)],
    ids=["at once", "later", "drip"],
)
def test_whatever_is_slow_ends_at_the_deadline(answers: list[bytes], drip: float) -> None:
    with ScriptedServer(answers, drip=drip) as server:
        began = time.monotonic()
        with pytest.raises(ExchangeError):
            ask(asker(server.port), seconds=0.3)
        assert time.monotonic() - began < 20


def test_nobody_there_is_an_error() -> None:
    with ScriptedServer([]) as server:
        port = server.port
    with pytest.raises(ExchangeError):
        ask(asker(port))


def test_a_certificate_that_the_system_does_not_trust_is_an_error(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = [need("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            line, _ = listener.accept()
            try:
                context.wrap_socket(line, server_side=True).close()
            except OSError:
                line.close()

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        where = endpoint(f"https://localhost:{listener.getsockname()[1]}/x")
        assert where is not None
        with pytest.raises(ExchangeError, match=r"(?i)certificate"):
            Asker(where, "main").ask(None, time.monotonic() + 30)
        thread.join(30)
