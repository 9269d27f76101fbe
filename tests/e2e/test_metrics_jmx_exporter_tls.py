"""`httpServer.ssl` of the standalone jmx_exporter: its page by TLS, with stores of Java that change."""

from __future__ import annotations

import json
import os
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.e2e.test_metrics_access import context
from tests.support.certificates import Authority
from tests.support.keystores import PASSWORD, key_store, trust_store
from tests.support.moving import descriptors, put
from tests.support.ports import free_port
from tests.support.processes import Process, run
from tests.support.programs import script
from tests.support.waiting import until
from tests.support.web import get

RECORDED = Path(__file__).parents[1] / "unit" / "metrics" / "keystores" / "data"
NOBODY = "127.0.0.1:1"  # no JVM there


def written(path: Path, **tls: Any) -> Path:
    """Write the file at *path*."""
    path.write_text(json.dumps({"hostPort": NOBODY, "httpServer": {"ssl": tls}}))
    return path


class Standalone(Process):
    """The exporter's own command with the file at *path*."""

    def __init__(self, path: Path, **environ: str) -> None:
        self.port = free_port()
        argv = [script("podmates-metrics"), "jmx", f"127.0.0.1:{self.port}", str(path)]
        super().__init__(argv, env={**os.environ, **environ})

    def __enter__(self) -> Standalone:
        super().__enter__()
        self.wait_line("msg=ready", 60)
        return self

    def shown(self) -> str:
        """Return the name in the certificate that is shown."""
        text = ssl.get_server_certificate(("127.0.0.1", self.port), timeout=30)
        [found] = x509.load_pem_x509_certificate(text.encode()).subject
        return str(found.value)

    def page(self, client: ssl.SSLContext) -> str:
        return get(f"https://127.0.0.1:{self.port}/metrics", client).body


@pytest.mark.parametrize("store", ["two.p12", "two.jks"])
def test_the_key_of_the_alias_encrypts_the_page(store: str, tmp_path: Path) -> None:
    own = {"filename": str(RECORDED / store), "password": "${STORE_PASSWORD}"}
    path = written(tmp_path / "file.yaml", keyStore=own, certificate={"alias": "second"})
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with Standalone(path, STORE_PASSWORD="secret") as server:
        assert "jmx_scrape_error 1" in server.page(anybody)
        assert server.shown() == "Second"
        with pytest.raises(OSError):  # noqa: PT011  (closed, perhaps after an alert)
            get(f"http://127.0.0.1:{server.port}/metrics")
        assert "secret" not in server.output
        assert not [name for name in descriptors(server.pid) if "memfd" in name or "data/two" in name]


def test_a_file_in_pem_serves_as_well(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("server")
    both = tmp_path / "both.pem"
    both.write_bytes(issued.key.read_bytes() + issued.file.read_bytes())
    path = written(
        tmp_path / "file.yaml", keyStore={"filename": str(both), "type": "PEM"}, protocols="TLSv1.3"
    )
    older = context(authority)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with Standalone(path) as server:
        assert "jmx_scrape_error 1" in server.page(context(authority))
        with pytest.raises(OSError):  # noqa: PT011
            server.page(older)


@pytest.mark.parametrize("form", ["PKCS12", "JKS"])
def test_clients_show_a_certificate_with_mutual_tls(form: str, tmp_path: Path) -> None:
    authority, strangers = Authority(tmp_path), Authority(tmp_path, "strangers")
    own = key_store(tmp_path / "own", form=form, web=authority.issue("server"))
    trust = trust_store(tmp_path / "trust", authority, form=form)
    path = written(
        tmp_path / "file.yaml",
        keyStore={"filename": str(own), "password": PASSWORD},
        trustStore={"filename": str(trust), "password": PASSWORD, "type": form},
        certificate={"alias": "WEB"},
        mutualTLS=True,
    )
    with Standalone(path) as server:
        assert "jmx_scrape_error 1" in server.page(context(authority, authority.issue("client")))
        for client in (None, strangers.issue("client")):
            with pytest.raises(OSError):  # noqa: PT011  (reset, or an alert: which one is a matter of time)
                server.page(context(authority, client))
        assert PASSWORD not in server.output


def test_stores_that_change_are_taken_up_and_broken_ones_are_not(tmp_path: Path) -> None:
    authority, others = Authority(tmp_path), Authority(tmp_path, "others")
    own = key_store(tmp_path / "own.p12", web=authority.issue("first"))
    trust = trust_store(tmp_path / "trust.p12", authority)
    path = written(
        tmp_path / "file.yaml",
        keyStore={"filename": str(own), "password": PASSWORD},
        trustStore={"filename": str(trust), "password": PASSWORD},
        certificate={"alias": "web"},
        mutualTLS=True,
    )
    known, other = (context(authority, each.issue("client")) for each in (authority, others))
    with Standalone(path) as server:
        assert "jmx_scrape_error 1" in server.page(known)
        assert server.shown() == "first"

        put(own, own.read_bytes()[:-30])
        server.wait_line(
            f"stores not loaded, the old ones stay: httpServer.ssl.keyStore: {re.escape(str(own))}"
        )
        assert server.shown() == "first"

        put(own, key_store(tmp_path / "new.p12", web=authority.issue("second")).read_bytes())
        until(lambda: server.shown() == "second", what="the new certificate")
        with pytest.raises(OSError):  # noqa: PT011
            server.page(other)

        put(trust, trust_store(tmp_path / "more.p12", others).read_bytes())
        until(lambda: _answered(server, other), what="the new authority")
        with pytest.raises(OSError):  # noqa: PT011
            server.page(known)


def _answered(server: Standalone, client: ssl.SSLContext) -> bool:
    try:
        return "jmx_scrape_error 1" in server.page(client)
    except OSError:
        return False


STORE = str(RECORDED / "two.p12")


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        (
            {"certificate": {"alias": "first"}},
            f"httpServer.ssl.keyStore: {STORE}: its certificates are encrypted",
        ),
        (
            {"certificate": {"alias": "third"}, "password": "secret"},
            "holds no key called third; there is first",
        ),
        ({"certificate": {"alias": "first"}, "password": "guess42"}, "the password is wrong, or the file is"),
        ({"password": "secret"}, "line 1: httpServer.ssl.certificate.alias: is missing"),
    ],
)
def test_a_store_that_cannot_be_used_ends_the_start_with_1(
    tls: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    own = {"filename": STORE, "password": tls.pop("password", "")}
    path = written(tmp_path / "file.yaml", keyStore=own, **tls)

    ended = run([script("podmates-metrics"), "jmx", str(free_port()), str(path)])

    assert ended.status == 1
    assert reason in ended.stderr and str(path) in ended.stderr
    assert "guess42" not in ended.stderr and "Traceback" not in ended.stderr


def test_two_files_that_say_how_the_port_is_encrypted_are_one_too_many(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("server")
    web = tmp_path / "web.yaml"
    web.write_text("tls_server_config: {cert_file: authority-server.pem, key_file: authority-server.key}\n")
    own = {"filename": STORE, "password": "secret"}
    path = written(tmp_path / "file.yaml", keyStore=own, certificate={"alias": "first"})
    environ = {**os.environ, "PODMATES_METRICS_WEB_CONFIG_FILE": str(web)}

    ended = run([script("podmates-metrics"), "jmx", str(free_port()), str(path)], env=environ)

    assert (ended.status, "httpServer.ssl, and" in ended.stderr) == (1, True)
