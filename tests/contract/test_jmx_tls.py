"""TLS to a real JVM: its registry and its server, a certificate of our own, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from podmates_metrics.documents import load
from podmates_metrics.jmx.source import JmxSource
from podmates_metrics.jmx_exporter.files import decoded, sources
from podmates_metrics.tree import Fault
from tests.support.certificates import Authority, Certificate
from tests.support.jmx_pages import Series, series
from tests.support.jvm import Jvm
from tests.support.keystores import LEGACY, PASSWORD, key_store, trust_store

BEANS = str(Path(__file__).parents[1] / "support" / "jmx_beans.tsv")
SEEN = ("awk_empty_v", ())


class Encrypted(NamedTuple):
    jvm: Jvm
    authority: Authority
    client: Certificate
    properties: dict[str, str]


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    """A JVM that wants a certificate, whose registry speaks TLS, too."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    server = authority.issue("server", names="DNS:elsewhere")
    store, trusted = (
        key_store(folder / "server.p12", server=server),
        trust_store(folder / "ca.p12", authority),
    )
    properties = {
        "com.sun.management.jmxremote.ssl": "true",
        "com.sun.management.jmxremote.registry.ssl": "true",
        "com.sun.management.jmxremote.ssl.need.client.auth": "true",
        "javax.net.ssl.keyStore": str(store),
        "javax.net.ssl.keyStorePassword": PASSWORD,
        "javax.net.ssl.trustStore": str(trusted),
        "javax.net.ssl.trustStorePassword": PASSWORD,
    }
    with Jvm("Constant", properties=properties, arguments=[BEANS]) as jvm:
        yield Encrypted(jvm, authority, authority.issue("client"), properties)


def page(path: Path, jvm: Jvm, ssl: Any, **environ: str) -> tuple[Series, str]:
    """Return what a scrape gives, and what it has to complain of."""
    path.write_text(json.dumps({"hostPort": jvm.address, "includeObjectNames": ["awk.empty:*"], "ssl": ssl}))
    [source] = sources(decoded(str(path), load(str(path)), environ), deadline=30, labelled=False)

    async def run(source: JmxSource) -> tuple[Series, str]:
        try:
            return series(await source.collect()), source.problem
        finally:
            await source.close()

    return asyncio.run(run(source))


def stores(trust: Path, client: Certificate | None) -> dict[str, Any]:
    found: dict[str, Any] = {"enabled": True, "trustStore": {"filename": str(trust)}}
    if client:
        both = client.file.with_suffix(".both")
        both.write_bytes(client.file.read_bytes() + client.key.read_bytes())
        found["keyStore"] = {"filename": str(both), "type": "PEM"}
    return found


@pytest.mark.parametrize("protocols", [None, "TLSv1.2", ["TLSv1.3"]])
def test_a_jvm_that_wants_a_certificate_is_read_by_tls(
    encrypted: Encrypted, tmp_path: Path, protocols: Any
) -> None:
    ssl = {**stores(encrypted.authority.file, encrypted.client), "protocols": protocols}

    found, problem = page(tmp_path / "file.yaml", encrypted.jvm, ssl)

    assert (found.get(SEEN), problem) == (1, "")


@pytest.mark.parametrize(
    ("form", "said", "legacy"),
    [("JKS", "JKS", ()), ("PKCS12", "pkcs12", ()), ("PKCS12", None, ()), ("PKCS12", "PKCS12", LEGACY)],
)
def test_a_jvm_is_read_with_the_stores_that_java_would_have(
    encrypted: Encrypted, tmp_path: Path, form: str, said: str | None, legacy: tuple[str, ...]
) -> None:
    trust = trust_store(tmp_path / "trust", encrypted.authority, form=form, more=legacy)
    own = key_store(tmp_path / "own", form=form, more=legacy, client=encrypted.client)
    found, problem = page(
        tmp_path / "file.yaml",
        encrypted.jvm,
        {
            "enabled": True,
            "trustStore": {"filename": str(trust), "type": said, "password": PASSWORD},
            "keyStore": {"filename": str(own), "type": said, "password": PASSWORD},
        },
    )

    assert (found.get(SEEN), problem) == (1, "")


@pytest.mark.parametrize(
    ("ciphers", "reached"),
    [
        ("TLS_AES_256_GCM_SHA384", True),
        (["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"], True),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", False),  # its key is none of RSA
    ],
)
def test_ciphers_are_those_of_the_file(
    encrypted: Encrypted, tmp_path: Path, ciphers: Any, reached: bool
) -> None:
    ssl = {**stores(encrypted.authority.file, encrypted.client), "ciphers": ciphers}

    found, problem = page(tmp_path / "file.yaml", encrypted.jvm, ssl)

    assert (found.get(SEEN) == 1, problem == "") == (reached, reached)


def test_a_certificate_that_stands_in_the_trust_store_itself_is_believed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = authority.issue("server")
    properties = {
        "com.sun.management.jmxremote.ssl": "true",
        "com.sun.management.jmxremote.registry.ssl": "true",
        "javax.net.ssl.keyStore": str(key_store(tmp_path / "server.p12", server=server)),
        "javax.net.ssl.keyStorePassword": PASSWORD,
    }
    with Jvm("Constant", properties=properties, arguments=[BEANS]) as jvm:
        found, problem = page(tmp_path / "file.yaml", jvm, stores(server.file, None))

    assert (found.get(SEEN), problem) == (1, "")


def test_a_stranger_s_certificate_is_not_believed(encrypted: Encrypted, tmp_path: Path) -> None:
    ssl = stores(Authority(tmp_path, "stranger").file, encrypted.client)

    found, problem = page(tmp_path / "file.yaml", encrypted.jvm, ssl)

    assert SEEN not in found and found["jmx_scrape_error", ()] == 1
    assert "TLS: unable to get local issuer certificate" in problem


def test_without_a_certificate_of_our_own_the_reason_says_so(encrypted: Encrypted, tmp_path: Path) -> None:
    found, problem = page(tmp_path / "file.yaml", encrypted.jvm, stores(encrypted.authority.file, None))

    assert SEEN not in found
    assert "certificate" in problem.lower().replace("_", " ")


def test_a_jvm_without_tls_is_not_read_where_tls_is_demanded(tmp_path: Path) -> None:
    with Jvm("Constant", arguments=[BEANS]) as jvm:
        found, problem = page(tmp_path / "file.yaml", jvm, True, RMI_REGISTRY_SSL_DISABLED="True")

    assert SEEN not in found
    assert "the server has no TLS, which is demanded of it" in problem


def test_a_registry_without_tls_is_asked_without_it_where_the_environment_says_so(
    encrypted: Encrypted, tmp_path: Path
) -> None:
    properties = {**encrypted.properties, "com.sun.management.jmxremote.registry.ssl": "false"}
    properties["com.sun.management.jmxremote.rmi.port"] = "0"  # the registry cannot share a port with TLS
    ssl = stores(encrypted.authority.file, encrypted.client)
    with Jvm("Constant", properties=properties, arguments=[BEANS]) as jvm:
        found, problem = page(tmp_path / "file.yaml", jvm, ssl, RMI_REGISTRY_SSL_DISABLED="true")

    assert (found.get(SEEN), problem) == (1, "")


def test_a_jvm_with_tls_is_not_read_without(encrypted: Encrypted, tmp_path: Path) -> None:
    for off in (False, {}, {"enabled": False, "trustStore": {"filename": "/nowhere"}}):
        found, problem = page(tmp_path / "file.yaml", encrypted.jvm, off)

        assert SEEN not in found and problem


def test_files_that_cannot_be_used_are_refused_at_load(encrypted: Encrypted, tmp_path: Path) -> None:
    path, java = tmp_path / "file.yaml", encrypted.properties["javax.net.ssl.keyStore"]
    client = encrypted.client
    for trust, own, reason in (
        ("/nowhere", "", "ssl.trustStore: /nowhere: No such file"),
        (java, "", "ssl.trustStore: .*: its certificates are encrypted, and the password is missing"),
        ("", java, "ssl.keyStore: .*: its certificates are encrypted, and the password is missing"),
        ("", str(client.file), "ssl.keyStore: .*: holds nothing in PEM"),
    ):
        ssl = {"enabled": True, "trustStore": {"filename": trust}, "keyStore": {"filename": own}}
        with pytest.raises(Fault, match=reason):
            page(path, encrypted.jvm, ssl)
