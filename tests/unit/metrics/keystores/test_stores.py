"""Stores of keytool (OpenJDK 17) and openssl (3.0), as recorded: what is in them, and what is refused."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

from podmates_metrics.keystores.loading import load_own, load_trust
from podmates_metrics.keystores.store import Store
from podmates_metrics.tree import Fault
from tests.unit.metrics.keystores.recorded import DATA, decrypted, opened, subject

PASSWORD = "secret"
# keys with the subjects of their chains; certificates that stand by themselves
STORES = {
    "two.jks": ({"first": ["first"], "second": ["Second"]}, ["authority"]),
    "two.p12": ({"first": ["first"], "second": ["Second"]}, ["authority"]),
    "old.p12": ({"first": ["first"]}, ["authority"]),  # RC2 with 40 bits, 3DES
    "open.p12": ({}, ["authority"]),
    "chain.p12": ({"1": ["leaf", "authority"]}, []),
    "unmarked.p12": ({}, ["authority"]),
    "other.jks": ({"first": ["first"]}, []),
}


@pytest.mark.parametrize(("name", "inside"), STORES.items())
def test_what_is_in_a_store(name: str, inside: tuple[dict[str, list[str]], list[str]]) -> None:
    found = opened(name, PASSWORD)

    chains = {entry.alias: [subject(each) for each in entry.chain] for entry in found.entries}
    assert (chains, [subject(each) for each in found.trusted]) == inside


@pytest.mark.parametrize(
    ("name", "password", "alias"),
    [
        ("two.jks", PASSWORD, "first"),
        ("two.jks", PASSWORD, "SECOND"),
        ("two.p12", PASSWORD, "First"),
        ("two.p12", PASSWORD, "second"),
        ("two.p12", PASSWORD, ""),
        ("old.p12", PASSWORD, "first"),
        ("chain.p12", PASSWORD, "1"),
        ("bare.p12", "", "1"),
        ("unsaid.p12", "", "1"),
    ],
)
def test_a_key_fits_its_certificate(name: str, password: str, alias: str) -> None:
    """OpenSSL would not take them otherwise."""
    load_own(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Store(f"{DATA / name}", password, alias=alias))


@pytest.mark.parametrize(
    ("name", "believed"),
    {
        "two.jks": ["authority", "first", "Second"],
        "two.p12": ["authority", "first", "Second"],
        "old.p12": ["authority", "first"],
        "chain.p12": ["leaf"],  # whoever its authority signed is no more believed than with Java
        "unmarked.p12": ["authority"],
    }.items(),
)
def test_what_stands_in_a_store_is_believed(name: str, believed: list[str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    load_trust(context, Store(f"{DATA / name}", PASSWORD))

    found = [subject(der) for der in context.get_ca_certs(binary_form=True)]
    assert context.cert_store_stats()["x509"] == len(believed)
    assert {*found} <= {*believed}


def test_without_a_password_only_what_is_open_is_read() -> None:
    assert len(opened("two.jks", "").trusted) == len(opened("open.p12", "").trusted) == 1
    with pytest.raises(Fault, match="certificates are encrypted, and the password is missing"):
        opened("two.p12", "")


WRONG = "the password is wrong, or the file is damaged"
FAULTS = {
    ("two.p12", "guess", ""): WRONG,
    ("old.p12", "guess", ""): WRONG,
    ("two.jks", "guess", ""): WRONG,
    ("two.jks", "", ""): "the key second has another password, or is damaged",
    ("other.jks", PASSWORD, ""): "the key first has another password, or is damaged",
    ("two.p12", PASSWORD, "third"): "holds no key called third; there is first, second",
    ("two.jks", PASSWORD, "ca"): "holds no key called ca; there is second, first",
    ("open.p12", PASSWORD, ""): "holds no key with a certificate",
}


@pytest.mark.parametrize(("given", "reason"), FAULTS.items())
def test_a_fault_names_the_file_and_the_reason_and_no_password(
    given: tuple[str, str, str], reason: str
) -> None:
    name, password, alias = given
    store = Store(str(DATA / name), password, alias=alias)
    with pytest.raises(Fault) as error:
        load_own(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), store)

    assert str(error.value) == f"{DATA / name}: {reason}"
    assert PASSWORD not in repr(store) and "guess" not in repr(store)


def test_a_key_is_in_no_text() -> None:
    found = opened("bare.p12", "")
    [entry] = found.entries

    assert repr(found.unlock(entry))[2:-1] not in repr(found)


FORMS = {
    b"": "is no store: want JKS, PKCS12, PEM",
    b"hello": "is no store: want JKS, PKCS12, PEM",
    b"\xce\xce\xce\xce\0\0\0\2": "JCEKS is not offered; `keytool -importkeystore -deststoretype PKCS12`",
    b"\xfe\xed\xfe\xed" + bytes(40): "version 0 of JKS is not offered",
    b"0\x03\x02\x01\x01": "the file is damaged",
    b"0\x05\x02\x01\x010\x00": "is no PKCS12 store",
    b"-----BEGIN NONSENSE-----": "holds nothing in PEM",
    bytes(2 << 20): "larger than 1048576 bytes",
}


@pytest.mark.parametrize(("content", "reason"), FORMS.items())
def test_what_is_no_store_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(content)
    with pytest.raises(Fault, match=re.escape(f"{path}: {reason}")):
        load_trust(ssl.create_default_context(), Store(str(path)))


@pytest.mark.parametrize("written", ["JKS", "PKCS12"])
@pytest.mark.parametrize("name", ["two.jks", "two.p12"])
def test_the_content_tells_which_of_java_s_types_it_is(name: str, written: str) -> None:
    load_trust(ssl.create_default_context(), Store(str(DATA / name), PASSWORD, written))
    with pytest.raises(Fault, match=r"is (JKS|PKCS12), and its type says PEM"):
        load_trust(ssl.create_default_context(), Store(str(DATA / name), PASSWORD, "PEM"))


def test_old_stores_need_no_package_for_their_cipher() -> None:
    """RC2 is ours; 3DES, which their keys have, is asked for by name."""
    asked: list[str] = []

    def decrypt(cipher: str, key: bytes, start: bytes, data: bytes) -> bytes:
        asked.append(cipher)
        return decrypted(cipher, key, start, data)

    found = opened("old.p12", PASSWORD, decrypt)
    assert asked == []
    found.unlock(found.entries[0])
    assert asked == ["3des"]
