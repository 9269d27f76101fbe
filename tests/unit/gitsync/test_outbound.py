"""Requests that we make: bounded in time, hops and bytes, and silent about what may be secret."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podmates_gitsync.outbound.client import Answer, OutboundError, request
from tests.support.thread_limit import no_more_threads
from tests.support.waiting import pause
from tests.support.web_server import Reply, WebServer, self_signed

NEVER = 60.0  # seconds; far longer than any of these takes


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


def ask(url: str, method: str = "GET", *, timeout: float = NEVER, follow: bool = False) -> Answer:
    return request(method, url, timeout=timeout, environ={}, follow=follow)


@contextlib.contextmanager
def talking(say: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection with *say*, which speaks what a real server would not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as line:
                line.recv(65536)
                say(line)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/secret?key=secret"
        thread.join(10)


def test_a_request_goes_out_as_told_and_the_answer_comes_back_whatever_its_status(server: WebServer) -> None:
    server.answer = lambda asked: Reply(418, b"short and stout", {"X-Kind": "teapot"})

    answer = request(
        "BREW",
        f"{server.url}/a b/%2F?q=1 2#part",
        timeout=NEVER,
        environ={},
        headers=[("Gitsync-Hash", "abc")],
        body=b"water",
    )

    assert (answer.status, answer.body, answer.headers["x-kind"]) == (418, b"short and stout", "teapot")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("BREW", "/a%20b/%2F?q=1%202", b"water")
    assert asked.headers["gitsync-hash"] == "abc"
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"


def test_user_information_becomes_basic_authentication(server: WebServer) -> None:
    ask(server.url.replace("://", "://us%3Aer:p%40ss@"))

    assert server.asked[0].headers["authorization"] == basic("us:er:p@ss")
    assert server.asked[0].path == "/"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("GET", 301, ("GET", b"data")),
        ("POST", 301, ("GET", b"")),
        ("POST", 302, ("GET", b"")),
        ("POST", 303, ("GET", b"")),
        ("POST", 307, ("POST", b"data")),
        ("POST", 308, ("POST", b"data")),
    ],
)
def test_a_redirect_is_followed_when_asked(
    server: WebServer, method: str, status: int, then: tuple[str, bytes]
) -> None:
    server.answer = lambda asked: (
        Reply(200, b"there") if asked.path == "/there" else Reply(status, b"", {"Location": "there"})
    )

    stayed = request(method, f"{server.url}/here", timeout=NEVER, environ={}, body=b"data")
    went = request(method, f"{server.url}/here", timeout=NEVER, environ={}, body=b"data", follow=True)

    assert stayed.status == status
    assert went.body == b"there"
    assert (server.asked[-1].method, server.asked[-1].body) == then


def test_redirects_are_counted(server: WebServer) -> None:
    server.answer = lambda asked: Reply(302, b"", {"Location": asked.path + "x"})

    with pytest.raises(OutboundError, match="more than 10 redirects"):
        ask(f"{server.url}/", follow=True)

    assert len(server.asked) == 11


def test_authorization_stays_on_its_host(server: WebServer) -> None:
    headers = [("Authorization", "Bearer secret"), ("X-Other", "1")]
    with WebServer() as other:
        server.answer = lambda asked: Reply(
            302, b"", {"Location": "/again" if asked.path == "/" else f"{other.url}/other"}
        )
        request("GET", server.url, timeout=NEVER, environ={}, headers=headers, follow=True)
        ask(server.url.replace("://", "://user:secret@"), follow=True)

        assert [asked.headers.get("authorization") for asked in server.asked] == [
            *["Bearer secret"] * 2,
            *[basic("user:secret")] * 2,
        ]
        assert [asked.headers.get("authorization") for asked in other.asked] == [None, None]
        assert other.asked[0].headers["x-other"] == "1"


@pytest.mark.parametrize(
    "place",
    ["ftp://127.0.0.1/", "file:///etc/passwd", "http://a b/", "http://[secret]/", "http://u:secret@[/"],
)
def test_a_redirect_to_anything_but_http_is_an_error(server: WebServer, place: str) -> None:
    server.answer = lambda asked: Reply(302, b"", {"Location": place})

    with pytest.raises(OutboundError, match="not a URL") as raised:
        ask(server.url, follow=True)

    assert "secret" not in str(raised.value)


def test_a_body_is_read_up_to_the_limit(server: WebServer) -> None:
    for size, truncated in ((9, False), (10, False), (11, True)):
        server.answer = lambda asked, size=size: Reply(200, b"x" * size)  # type: ignore[misc]
        answer = request("GET", server.url, timeout=NEVER, environ={}, limit=10)

        assert (len(answer.body), answer.truncated) == (min(size, 10), truncated)


def drip(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        line.sendall(b"x")
        pause(0.01)


def silence(line: socket.socket) -> None:
    line.recv(1)


@pytest.mark.parametrize("say", [drip, silence])
def test_the_deadline_is_for_everything_together(say: Callable[[socket.socket], None]) -> None:
    before = time.monotonic()
    with talking(say) as url, pytest.raises(OutboundError, match="timed out"):
        ask(url, timeout=0.5)

    assert time.monotonic() - before < 30


def test_what_is_cut_off_ends() -> None:
    with talking(drip) as url, pytest.raises(OutboundError):
        ask(url, timeout=0.2)

    for thread in threading.enumerate():
        if thread.name == "outbound":
            thread.join(30)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"220 smtp.example.com secret\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: secret\r\n" * 1000 + b"\r\n",
    ],
    ids=["nothing", "another protocol", "cut short", "no chunk", "too many headers"],
)
def test_an_answer_that_is_none_is_an_error_that_shows_no_secret(said: bytes) -> None:
    with talking(lambda line: line.sendall(said)) as url, pytest.raises(OutboundError) as caught:
        ask(url.replace("://", "://user:secret@"))

    assert "secret" not in str(caught.value)
    assert "GET http://127.0.0.1:" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *("", "secret", "file:///secret", "http://", "http:///secret", "http://host:port/secret"),
        *("ftp://user:secret@host/", f"http://{'a' * 64}.secret/", "http://[::1/secret"),
    ],
)
def test_what_is_no_url_is_an_error_that_does_not_show_it(url: str) -> None:
    with pytest.raises(OutboundError, match="not a URL") as caught:
        ask(url)

    assert "secret" not in str(caught.value)


def test_a_header_that_cannot_be_sent_is_not_shown(server: WebServer) -> None:
    with pytest.raises(OutboundError, match="malformed request") as caught:
        request("GET", server.url, timeout=NEVER, environ={}, headers=[("X", "secret\r\nY: z")])

    assert "secret" not in str(caught.value)
    assert server.asked == []


def test_no_room_for_one_more_thread_is_an_error(server: WebServer) -> None:
    with no_more_threads(), pytest.raises(OutboundError, match=r"^GET http://[^/]*: can't start new thread$"):
        ask(f"{server.url}/secret")


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(OutboundError, match=f"GET http://127.0.0.1:{port}: Connection refused"):
        ask(f"http://127.0.0.1:{port}/secret")


def test_http_goes_through_a_proxy_and_loopback_does_not(server: WebServer) -> None:
    environ = {"http_proxy": server.url.replace("://", "://us%40er:secret@")}
    with WebServer() as direct:
        request("GET", "http://git.example.com:8080/path?q=1", timeout=NEVER, environ=environ)
        request("GET", direct.url, timeout=NEVER, environ=environ)

    (asked,) = server.asked
    assert asked.path == "http://git.example.com:8080/path?q=1"
    assert asked.headers["host"] == "git.example.com:8080"
    assert asked.headers["proxy-authorization"] == basic("us@er:secret")


class Tunnel:
    """A proxy that connects everybody with one server, whatever they ask for; answers *status* first."""

    def __init__(self, port: int, status: int) -> None:
        self.port, self.status, self.head = port, status, b""

    def __call__(self, line: socket.socket) -> None:
        line.sendall(f"HTTP/1.1 {self.status} Whatever\r\n\r\n".encode())
        with socket.create_connection(("127.0.0.1", self.port)) as inner:
            back = threading.Thread(target=pump, args=(inner, line), daemon=True)
            back.start()
            pump(line, inner)
            back.join(10)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_https_goes_through_a_tunnel_and_the_name_is_checked(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, "DNS:git.example.com")
    with WebServer(lambda asked: Reply(200, b"inside"), certificate=certificate) as inner:
        with talking(Tunnel(inner.port, 200)) as proxy:
            environ = {"https_proxy": proxy, "SSL_CERT_FILE": str(certificate[0])}
            answer = request("GET", "https://git.example.com/path", timeout=NEVER, environ=environ)
        with talking(Tunnel(inner.port, 407)) as proxy, pytest.raises(OutboundError, match="answered 407"):
            request("GET", "https://git.example.com", timeout=NEVER, environ={"HTTPS_PROXY": proxy})

        assert answer.body == b"inside"
        assert [asked.path for asked in inner.asked] == ["/path"]


def test_a_certificate_must_be_trusted_and_name_the_host(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with WebServer(certificate=certificate) as server:
        trusting = {"SSL_CERT_FILE": str(certificate[0])}
        assert request("GET", server.url, timeout=NEVER, environ=trusting).status == 200
        with pytest.raises(OutboundError, match="certificate not trusted"):
            request("GET", server.url, timeout=NEVER, environ={})
        with pytest.raises(OutboundError, match="certificate not trusted"):
            request("GET", f"https://localhost:{server.port}", timeout=NEVER, environ=trusting)
        with pytest.raises(OutboundError, match="cannot read the certificates"):
            request("GET", server.url, timeout=NEVER, environ={"SSL_CERT_FILE": str(tmp_path / "none")})

        assert len(server.asked) == 1
