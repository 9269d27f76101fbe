"""What sources do with pages: how they ask, and whom they believe."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.metrics_sources import scrape


class _Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = (
            f"name,value\n{body},{self.headers['X-Number']}\n{self.command},{self.headers['Accept'][:4]}\n"
            f"typed,{int('Content-Type' in self.headers)}\n"
        )
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        pass


def test_a_page_is_asked_with_method_headers_and_body(tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("7\n")
    with HTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            text = f"""
sources:
  s:
    http:
      url: "http://127.0.0.1:{server.server_port}/"
      headers: {{X-Number: {{file: {number}}}, Accept: "1234"}}
      body: question
      format: csv
rules:
- {{from: s, name: "answer_{{name}}"}}
"""
            assert scrape(text) == (["answer_question 7", "answer_POST 1234", "answer_typed 0"], "")
            number.write_text("7\nX-Evil: 1")
            assert scrape(text) == ([], "header X-Number: more than one line")
            number.write_text("7\x01")
            assert scrape(text) == ([], "header X-Number: a sign that cannot be sent")
        finally:
            server.shutdown()
            thread.join(30)


def test_a_page_is_asked_by_tls_with_the_authority_that_is_named(tmp_path: Path) -> None:
    certificate, stranger = Authority(tmp_path).issue("page"), Authority(tmp_path, "stranger")
    with HTTPServer(("127.0.0.1", 0), _Echo) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:

            def asked(key: str) -> tuple[list[str], str]:
                url = f"https://localhost:{server.server_port}/"
                keys = f"body: x, headers: {{X-Number: '7', Accept: '1'}}, format: csv, {key}"
                rules = "rules: [{name: 'a_{name}'}]"
                return scrape(f"sources: {{s: {{http: {{url: '{url}', {keys}}}}}}}\n{rules}")

            good = (["a_x 7", "a_POST 1", "a_typed 0"], "")
            assert asked(f"ca_file: {tmp_path}/authority.pem") == good
            assert asked("insecure_skip_verify: true") == good
            for wrong in (f"ca_file: {stranger.file}", "timeout: 20s"):
                series, problem = asked(wrong)
                assert series == []
                assert (
                    problem.endswith(": unable to get local issuer certificate") or "self-signed" in problem
                )
            assert asked("ca_file: /nowhere") == ([], "/nowhere: No such file or directory")
            assert asked(f"ca_file: {certificate.key}") == (
                [],
                f"{certificate.key}: no certificate of an authority",
            )
        finally:
            server.shutdown()
            thread.join(30)


def test_a_host_that_is_not_known_is_told_in_words() -> None:
    _, problem = scrape("sources: {s: {http: {url: 'http://nohost.invalid:8/'}}}")

    assert problem.startswith("nohost.invalid:8: ")
    assert "Unknown error" not in problem
