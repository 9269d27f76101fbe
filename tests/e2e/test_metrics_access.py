"""The web port by TLS and with passwords, as the web configuration file of Prometheus' exporters has it."""

from __future__ import annotations

import base64
import http.client
import ssl
from pathlib import Path

import bcrypt
import pytest

from podmates_common.parse import Address
from podmates_common.probe import probe
from tests.e2e.adapters import Adapter
from tests.support.certificates import Authority, Certificate
from tests.support.moving import put
from tests.support.processes import Process, run
from tests.support.programs import script
from tests.support.waiting import until


class Encrypted(Adapter):
    """An adapter whose web port speaks TLS; it is up when it says so."""

    def __enter__(self) -> Encrypted:
        Process.__enter__(self)
        self.wait_line("msg=ready", 60)
        return self

    def ask(self, context: ssl.SSLContext, path: str = "/metrics", *, user: str = "") -> tuple[int, str]:
        """Return status and the header of a GET that tells frames off."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.web, timeout=30, context=context)
        try:
            connection.request("GET", path, headers=basic(user) if user else {})
            response = connection.getresponse()
            response.read()
            return response.status, response.headers.get("X-Frame-Options", "")
        finally:
            connection.close()


def basic(user: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


def context(authority: Authority, client: Certificate | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(authority.file))
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT  # which 3.13 sets: the authorities of tests are plain ones
    if client:
        made.load_cert_chain(client.file, client.key)
    return made


def test_only_users_with_their_password_read_the_page(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(f"basic_auth_users:\n  alice: {hashed('wonderland')}\n")
    flag = f"--web.config.file={file}"
    with Adapter(flag) as adapter:
        assert adapter.get("/metrics").status == 401
        assert adapter.get("/metrics").headers["WWW-Authenticate"] == "Basic"
        assert adapter.get("/nowhere").status == 401
        for wrong in ("alice:hatter", "bob:wonderland", "alice", ":", "alice:" + "x" * 100, "alice:a\0b"):
            assert adapter.get("/metrics", **basic(wrong)).status == 401, wrong
        for header in ("Bearer x", "Basic", "Basic §", "Basic " + "A" * 7000):
            assert adapter.get("/metrics", Authorization=header.encode().decode("latin-1")).status == 401
        for _ in range(2):
            assert "statsd_exporter_lines_total" in adapter.get("/metrics", **basic("alice:wonderland")).text
        assert (
            run(
                [
                    script("podmates-metrics"),
                    "probe",
                    "ready",
                    flag,
                    f"--web.listen-address=127.0.0.1:{adapter.web}",
                ]
            ).status
            == 0
        )

        put(file, f"basic_auth_users:\n  bob: {hashed('builder')}\n")
        until(lambda: adapter.get("/metrics", **basic("bob:builder")).status == 200, what="the new user")
        assert adapter.get("/metrics", **basic("alice:wonderland")).status == 401

        put(file, "basic_auth_users:\n  bob: builder\n")
        adapter.wait_line("web configuration not loaded.*want a bcrypt hash")
        assert adapter.get("/metrics", **basic("bob:builder")).status == 200
        for secret in ("wonderland", "builder", "$2b$"):
            assert secret not in adapter.output


def test_the_page_is_encrypted_and_a_renewed_certificate_is_taken_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("server")
    file = tmp_path / "web.yaml"
    file.write_text(
        "tls_server_config: {cert_file: authority-server.pem, key_file: authority-server.key}\n"
        "http_server_config: {headers: {X-Frame-Options: deny}}\n"
    )
    with Encrypted(f"--web.config.file={file}") as adapter:
        assert adapter.ask(context(authority)) == (200, "deny")
        assert adapter.ask(context(authority), "/nowhere") == (404, "deny")
        assert probe("ready", Address("127.0.0.1", adapter.web), secure=True) == 0
        assert "listeners: ok" in capsys.readouterr().out
        old = ssl.get_server_certificate(("127.0.0.1", adapter.web))

        certificate.replace(authority.issue("renewed"))
        until(lambda: ssl.get_server_certificate(("127.0.0.1", adapter.web)) != old, what="the new one")
        assert adapter.ask(context(authority)) == (200, "deny")
        with pytest.raises((OSError, http.client.HTTPException)):  # closed, perhaps after an alert
            adapter.get("/metrics")


def test_a_certificate_that_is_named_before_it_is_there_is_taken_up_when_it_comes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("first")
    second = authority.issue("second")
    text = "tls_server_config: {cert_file: %s.pem, key_file: %s.key}"
    file = tmp_path / "web.yaml"
    put(file, text % ("authority-first", "authority-first"))
    with Encrypted(f"--web.config.file={file}") as adapter:
        old = ssl.get_server_certificate(("127.0.0.1", adapter.web))
        put(file, text % ("later", "later"))
        adapter.wait_line("web configuration not loaded")

        Path(second.key).rename(tmp_path / "later.key")
        Path(second.file).rename(tmp_path / "later.pem")
        until(lambda: ssl.get_server_certificate(("127.0.0.1", adapter.web)) != old, what="the new one")


def test_clients_show_a_certificate_where_they_must(tmp_path: Path) -> None:
    authority, strangers = Authority(tmp_path), Authority(tmp_path, "strangers")
    authority.issue("server")
    file = tmp_path / "web.yaml"
    file.write_text(
        "tls_server_config: {cert_file: authority-server.pem, key_file: authority-server.key,\n"
        "  client_ca_file: authority.pem, client_auth_type: RequireAndVerifyClientCert, min_version: TLS13}\n"
    )
    with Encrypted(f"--web.config.file={file}") as adapter:
        assert adapter.ask(context(authority, authority.issue("client")))[0] == 200
        for client in (None, strangers.issue("client")):
            with pytest.raises(OSError):  # noqa: PT011  (reset, or an alert: which one is a matter of time)
                adapter.ask(context(authority, client))
        older = context(authority, authority.issue("client"))
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            adapter.ask(older)


def test_a_file_that_cannot_be_used_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text("tls_server_config: {cert_file: no.pem, key_file: no.key}\n")
    for words in ([], ["--check-config"]):
        ended = run([script("podmates-metrics"), f"--web.config.file={file}", *words])

        assert ended.status == 1
        assert f"{file}: cert_file {tmp_path}/no.pem" in ended.stderr
        assert "No such file" in ended.stderr
