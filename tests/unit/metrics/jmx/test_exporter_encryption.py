"""Ciphers by Java's names, and `httpServer.ssl` of a jmx_exporter file."""

from __future__ import annotations

import json
import ssl
from itertools import product
from typing import Any

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.jmx_exporter.configuration import Configuration, decode
from podmates_metrics.jmx_exporter.encryption import Encryption
from podmates_metrics.jmx_exporter.suites import suites
from podmates_metrics.jmx_exporter.tls import context
from podmates_metrics.tree import Fault

BOTH = "TLS_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"


def client(**keys: Any) -> Configuration:
    return decode(parse(json.dumps({"ssl": {"enabled": True, **keys}})), {})


def server(**keys: Any) -> Configuration:
    known = {"keyStore": {"filename": "k", "password": "${PASS}"}, "certificate": {"alias": "Web"}}
    text = json.dumps({"httpServer": {"ssl": known | keys}})
    return decode(parse(text), {"PASS": "pencil"}, standalone=True)


NAMES = {
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384": "ECDHE-RSA-AES256-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA": "DHE-RSA-AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256": "AES256-SHA256",
}


@pytest.mark.parametrize(("java", "own"), NAMES.items())
def test_a_cipher_is_known_by_java_s_name(java: str, own: str) -> None:
    assert suites([java]).old == (own,)


def test_what_is_taken_is_known_to_openssl_and_the_rest_is_refused() -> None:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.set_ciphers("ALL:@SECLEVEL=0")
    known = {str(cipher["name"]) for cipher in made.get_ciphers()}
    exchanges = ("RSA", "DHE_RSA", "ECDHE_RSA", "ECDHE_ECDSA", "ECDH_RSA", "DHE_DSS", "DH_anon")
    ciphers = (
        "AES_128_CBC",
        "AES_256_CBC",
        "AES_128_GCM",
        "AES_256_GCM",
        "CHACHA20_POLY1305",
        "3DES_EDE_CBC",
    )
    taken = 0
    for exchange, cipher, digest in product(exchanges, ciphers, ("SHA", "SHA256", "SHA384", "MD5")):
        name = f"TLS_{exchange}_WITH_{cipher}_{digest}"
        try:
            [own] = suites([name]).old
        except ValueError as error:
            assert name in str(error)  # noqa: PT017 - each name is one or the other
        else:
            taken += 1
            assert own in known, name
    assert taken == 4 * 5 + 2 + 2 + 3


@pytest.mark.parametrize("ciphers", [BOTH, f" {BOTH.replace(', ', ' ,')},", BOTH.split(", "), [BOTH]])
def test_ciphers_are_a_list_or_a_text_with_commas(ciphers: Any) -> None:
    found = client(ciphers=ciphers).encryption

    assert found and found.suites == suites(BOTH.split(", "))
    assert found.versions == ("TLSv1.2", "TLSv1.3")


def test_ciphers_leave_the_versions_that_they_are_of() -> None:
    new, old = BOTH.split(", ")
    for names, told, versions in (
        (new, None, ("TLSv1.3",)),
        (old, None, ("TLSv1.2",)),
        (old, "TLSv1.2,TLSv1.3", ("TLSv1.2",)),
        (BOTH, "TLSv1.3", ("TLSv1.3",)),
        (None, None, ()),
    ):
        found = client(ciphers=names, protocols=told).encryption
        assert found and found.versions == versions


def test_what_cannot_be_narrowed_is_said() -> None:
    every = "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256"
    assert client(ciphers=BOTH).notes == (
        "line 1: ssl.ciphers: before Python 3.15 TLS 1.3 may use its other ciphers, too",
    )
    assert server(ciphers=BOTH).notes == (
        "line 1: httpServer.ssl.ciphers: before Python 3.15 TLS 1.3 may use its other ciphers, too",
    )
    assert client(ciphers=every).notes == client(ciphers=BOTH.split(", ")[1]).notes == ()


def test_ciphers_that_cannot_be_served_are_left_out_and_said() -> None:
    dhe = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
    note = "line 1: httpServer.ssl.ciphers: those with DHE are not served; want such as have ECDHE"
    old, new = server(ciphers=[dhe, BOTH.split(", ")[1]]), server(ciphers=[dhe, BOTH.split(", ")[0]])

    assert old.http and old.http.encryption and new.http and new.http.encryption
    assert old.http.encryption.suites.old == ("ECDHE-RSA-AES256-GCM-SHA384",)
    assert new.http.encryption.versions == ("TLSv1.3",)
    assert old.notes == (note,) and new.notes[0] == note
    with pytest.raises(Fault, match=r"httpServer\.ssl\.ciphers: those with DHE cannot be served"):
        server(ciphers=dhe)
    to_a_jvm = client(ciphers=dhe)
    assert to_a_jvm.encryption and to_a_jvm.encryption.suites.old == ("DHE-RSA-AES128-GCM-SHA256",)
    assert to_a_jvm.notes == ()


def test_ciphers_and_versions_reach_openssl() -> None:
    made = context(client(ciphers=BOTH.split(", ")[1]).encryption or Encryption())
    old = [cipher["name"] for cipher in made.get_ciphers() if cipher["protocol"] != "TLSv1.3"]

    assert old == ["ECDHE-RSA-AES256-GCM-SHA384"]
    assert made.maximum_version == ssl.TLSVersion.TLSv1_2
    assert context(client(ciphers=BOTH.split(", ")[0]).encryption or Encryption()).minimum_version == (
        ssl.TLSVersion.TLSv1_3
    )


def test_a_system_that_forbids_the_ciphers_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: ssl.SSLContext, ciphers: str) -> None:
        raise ssl.SSLError(f"no cipher can be selected: {ciphers}")

    monkeypatch.setattr(ssl.SSLContext, "set_ciphers", forbidden, raising=False)
    with pytest.raises(Fault, match=r"ssl\.ciphers: this system's OpenSSL lets none of them be used"):
        context(client(ciphers=BOTH).encryption or Encryption())


def test_what_the_web_port_s_tls_is() -> None:
    found = server(mutualTLS=True, trustStore={"filename": "t", "type": "jks"}, protocols="TLSv1.3").http

    assert found and found.encryption
    assert (found.encryption.own.alias, found.encryption.own.password) == ("Web", "pencil")
    assert (found.encryption.trust.form, found.encryption.mutual) == ("JKS", True)
    assert found.encryption.versions == ("TLSv1.3",)
    assert "pencil" not in repr(found)
    unasked = server(trustStore={"filename": "t"}).http
    assert unasked and unasked.encryption and not unasked.encryption.trust.filename
    plain = server(keyStore={"filename": "k", "type": "PEM"}, certificate=None).http
    assert plain and plain.encryption and plain.encryption.own.form == "PEM"


FAULTS: dict[str, dict[str, Any]] = {
    "line 1: httpServer.ssl.keyStore.filename: is missing": {"keyStore": None},
    "httpServer.ssl.keyStore.password: environment variable GONE is not set": {
        "keyStore": {"filename": "k", "password": "${GONE}"}
    },
    "httpServer.ssl.keyStore.type: BKS is not offered; want": {"keyStore": {"filename": "k", "type": "BKS"}},
    "httpServer.ssl.certificate.alias: is missing": {"certificate": {}},
    "httpServer.ssl.certificate.alias: want a text": {"certificate": {"alias": 5}},
    "httpServer.ssl.trustStore.filename: is missing, which mutualTLS wants": {"mutualTLS": True},
    "httpServer.ssl.mutualTLS: want true or false": {"mutualTLS": "true"},
    "httpServer.ssl.protocols: SSLv3 is not offered": {"protocols": "SSLv3"},
    "httpServer.ssl.ciphers: 'TLS_RSA_WITH_NULL_SHA' is unknown": {"ciphers": "TLS_RSA_WITH_NULL_SHA"},
}


@pytest.mark.parametrize(("fault", "keys"), FAULTS.items())
def test_a_fault_of_the_web_port_s_tls_names_its_key(fault: str, keys: dict[str, Any]) -> None:
    with pytest.raises(Fault, match=fault):
        server(**keys)
