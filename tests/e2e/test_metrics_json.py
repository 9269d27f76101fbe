"""A JSON page as a source: on the page, in the probes, and when it fails."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.waiting import until

RULES = """
sources:
  status: {{http: {{url: "http://127.0.0.1:{port}/status", timeout: 10s, max_size: 100000}}}}
rules:
- from: status
  each: workers[*].queues.*
  name: queue_length
  help: Waiting.
  value: "{{length}}"
  labels: {{worker: "{{^.name}}", queue: "{{@key}}"}}
- from: status
  match: {{path: "requests.{{verb}}"}}
  name: http_requests
  type: counter
  labels: {{verb: "{{verb}}"}}
"""
DOCUMENT = {
    "requests": {"get": 3, "put": 4},
    "workers": [{"name": "w0", "queues": {"mail": {"length": 5}}}],
}


class _Page(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.server.hang.is_set():
            self.server.released.wait(60)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    body = json.dumps(DOCUMENT).encode()

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Page)
        self.hang, self.released = threading.Event(), threading.Event()


@contextmanager
def page(port: int) -> Iterator[_Server]:
    with _Server(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


def rules(tmp_path: Path, port: int) -> str:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.format(port=port))
    return f"--config.file={file}"


def test_a_json_page_comes_out_beside_statsd(tmp_path: Path) -> None:
    port = free_port()
    with page(port), Adapter(rules(tmp_path, port)) as adapter:
        found = adapter.wait_for(
            {
                'queue_length{queue="mail",worker="w0"}': 5,
                'http_requests{verb="get"}': 3,
                'http_requests{verb="put"}': 4,
                'podmates_source_up{source="status"}': 1,
            }
        )
        assert found['podmates_rule_matches_total{rule="0",source="status"}'] >= 1
        assert "status: ok" in adapter.get("/readyz").text


def test_a_failing_page_costs_its_own_series_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    down = {'podmates_source_up{source="status"}': 0.0}
    with Adapter(rules(tmp_path, port)) as adapter:
        adapter.wait_for(down)
        adapter.wait_line("source status:")
        for _ in range(3):
            adapter.samples()
        assert adapter.get("/readyz").status == 200
        assert f"status: 127.0.0.1:{port}: Connection refused (does not count)" in adapter.get("/readyz").text
        assert adapter.stderr.count("source status:") == 1, "one line, not one per scrape"

        with page(port) as server:
            adapter.wait_for({'podmates_source_up{source="status"}': 1, 'http_requests{verb="get"}': 3})
            adapter.wait_line("source status: works again")
            for status, body, reason in (
                (500, b"{}", "HTTP status 500"),
                (200, b"{", "is not JSON"),
                (200, b" " * 200_000, "larger than 100000 bytes"),
                (302, b"", "HTTP status 302"),
                (200, b"[" * 50_000, "is not JSON"),
            ):
                server.status, server.body = status, body
                assert "http_requests" not in "".join(adapter.wait_for(down))
                adapter.wait_line(reason)
                assert reason in adapter.get("/readyz").text
            assert "Traceback" not in adapter.output


def test_a_page_that_speaks_no_http_is_named_without_its_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"\xff\xfe nonsense\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        file = tmp_path / "rules.yaml"
        file.write_text(f"sources: {{s: {{http: {{url: 'http://user:secret@127.0.0.1:{port}/'}}}}}}")
        with Adapter(f"--config.file={file}") as adapter:
            adapter.wait_for({'podmates_source_up{source="s"}': 0})
            adapter.wait_line("source s: not an HTTP answer")
            assert "secret" not in adapter.output + adapter.get("/readyz").text + adapter.get("/metrics").text
        server.shutdown(socket.SHUT_RDWR)
        thread.join(30)


def test_a_hanging_page_holds_up_nothing_but_itself(tmp_path: Path) -> None:
    port = free_port()
    with page(port) as server, Adapter(rules(tmp_path, port)) as adapter:
        server.hang.set()
        answer = adapter.get("/metrics", X_Prometheus_Scrape_Timeout_Seconds="1")

        assert answer.status == 200
        assert "statsd_exporter_lines_total" in answer.text
        adapter.wait_for({'podmates_source_up{source="status"}': 0})
        server.hang.clear()
        server.released.set()
        adapter.wait_for({'podmates_source_up{source="status"}': 1})


def test_targets_count_for_readiness_on_request(tmp_path: Path) -> None:
    port = free_port()
    with Adapter(rules(tmp_path, port), "--ready.require-targets") as adapter:
        until(lambda: "status" in adapter.get("/-/ready").text, 30, "the source to be asked")
        assert adapter.get("/readyz").status == 503
        assert adapter.get("/-/ready").status == 503
        with page(port):
            adapter.wait_for({'podmates_source_up{source="status"}': 1})
            until(lambda: adapter.get("/readyz").status == 200, 30, "readiness")


def test_an_unknown_key_is_refused_with_file_and_line(tmp_path: Path) -> None:
    from tests.support.processes import run
    from tests.support.programs import script

    file = tmp_path / "rules.yaml"
    file.write_text("sources:\n  a: {http: {url: 'http://127.0.0.1:1/'}}\nrules:\n- name: x\n  colour: red\n")

    ended = run([script("podmates-metrics"), f"--config.file={file}"])

    assert ended.status == 1
    assert f"{file}: line 5: rules[0].colour: field colour not found in type rule" in ended.stderr


def test_a_native_statsd_source_replaces_the_default_listeners(tmp_path: Path) -> None:
    from tests.support.statsd_sender import send_udp

    port = free_port()
    file = tmp_path / "rules.yaml"
    file.write_text(f"sources: {{s: {{statsd: {{udp: '127.0.0.1:{port}'}}}}}}\n")
    with Adapter(f"--config.file={file}") as adapter:
        send_udp(("127.0.0.1", port), b"a:1|c")

        adapter.wait_for({"a": 1})


def test_it_stops_at_once_also_while_a_page_hangs(tmp_path: Path) -> None:
    port = free_port()
    with page(port) as server, Adapter(rules(tmp_path, port)) as adapter:
        server.hang.set()
        adapter.get("/metrics", X_Prometheus_Scrape_Timeout_Seconds="0.2")
        started = time.monotonic()

        assert adapter.stop() == 0
        assert time.monotonic() - started < 30, "2 s, on a machine that has nothing else to do"


def test_a_source_called_as_a_part_of_ours_stands_for_itself(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        f"sources: {{listeners: {{http: {{url: 'http://127.0.0.1:{free_port()}/', format: json}}}}}}"
    )
    with Adapter(f"--config.file={file}") as adapter:
        adapter.wait_for({'podmates_source_up{source="listeners"}': 0})
        ready = adapter.get("/readyz")
        assert ready.status == 200
        assert ready.text.count("listeners: ") == 2
        assert "\nown listeners: ok\n" in ready.text
