"""The Java program, Prometheus and the StatsD sender do what their users in other tests count on."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.jvm import Jvm
from tests.support.programs import need
from tests.support.prometheus import Prometheus
from tests.support.statsd_sender import packets, send_tcp, send_udp


def test_a_jvm_listens_for_jmx_where_it_says() -> None:
    with Jvm(arguments=["3"]) as jvm, socket.create_connection(("127.0.0.1", jvm.port), timeout=30) as peer:
        peer.sendall(b"JRMI\0\2K")  # the greeting of RMI

        assert peer.recv(1) == b"\x4e"


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b'answer{of="everything"} 42\n')

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_prometheus_scrapes_and_answers() -> None:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with Prometheus(f"127.0.0.1:{server.server_address[1]}") as prometheus:
            [(labels, value)] = prometheus.wait_for("answer")
            assert (labels["of"], value) == ("everything", 42)
            assert [target["health"] for target in prometheus.targets()] == ["up"]
        server.shutdown()


def test_statsd_packets_arrive_as_given() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        send_udp(receiver.getsockname(), b"a:1|c", b"b:2|g\n")

        assert [receiver.recv(100), receiver.recv(100)] == [b"a:1|c", b"b:2|g\n"]


def test_statsd_lines_are_sent_over_tcp_and_its_end_is_seen() -> None:
    got = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def receive() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                got.append(stream.read())

        thread = threading.Thread(target=receive)
        thread.start()
        send_tcp(server.getsockname(), b"a:1", b"|c\n")
        thread.join(30)

    assert got == [b"a:1|c\n"]


def test_lines_are_batched_up_to_the_limit() -> None:
    assert packets([b"aaaa", b"bbbb", b"cccc"], 9) == [b"aaaa\nbbbb", b"cccc"]


def test_an_absent_program_skips_by_its_package_and_fails_where_all_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no-such-program .* no-such-package"):
        need("no-such-program", "no-such-package")
    monkeypatch.setenv("REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-package"):
        need("no-such-program", "no-such-package")
