"""`httpServer` of a jmx_exporter file: who may see the page of the standalone exporter, and where it is."""

from __future__ import annotations

import hashlib

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.jmx_exporter.configuration import Configuration, decode
from podmates_metrics.jmx_exporter.login import matches
from podmates_metrics.tree import Fault

SALTED = hashlib.sha256(b"grain:pencil").hexdigest()
# From RFC 6070: password, salt, 4096 rounds, 20 bytes.
STRETCHED = "4b:00:79:01:b7:65:48:9a:be:ad:49:d9:26:f7:21:d0:65:a4:29:c1"


def read(text: str, **environ: str) -> Configuration:
    return decode(parse(f"httpServer: {text}"), environ, standalone=True)


def basic(text: str) -> str:
    return f"{{authentication: {{basic: {{username: me, {text}}}}}}}"


PBKDF2 = f"algorithm: PBKDF2WithHmacSHA1, salt: salt, iterations: 4096, passwordHash: '{STRETCHED}'"
LONG, SHORT = hashlib.sha512(b"a:b").hexdigest(), hashlib.sha1(b"a:b", usedforsecurity=False).hexdigest()
LOGINS = {
    "password: pencil": "pencil",
    "password: ' ${WORD} ', algorithm: PlainText": "from outside",
    f"algorithm: SHA-256, salt: grain, passwordHash: '{SALTED}'": "pencil",
    f"algorithm: SHA-256, salt: grain, passwordHash: '{SALTED.upper()}'": "pencil",
    f"algorithm: SHA-512, salt: a, passwordHash: '{LONG}'": "b",
    f"algorithm: SHA-1, salt: a, passwordHash: '{SHORT}'": "b",
    f"{PBKDF2}, keyLength: 160": "password",
    f"{PBKDF2}, keyLength: 20": "password",
}


@pytest.mark.parametrize(("text", "password"), LOGINS.items())
def test_the_right_password_is_right_and_no_other(text: str, password: str) -> None:
    http = read(basic(text), WORD="from outside").http

    assert http and http.login and http.login.username == "me"
    assert matches(password.encode(), http.login.hashed)
    for wrong in ("", password + "x", password[:-1], password.upper()):
        assert not matches(wrong.encode(), http.login.hashed)


def test_no_password_is_in_a_text() -> None:
    assert "pencil" not in repr(read(basic("password: pencil")))
    assert "pencil" not in str(read(basic("password: pencil")).http.login.hashed)  # type: ignore[union-attr]


def test_iterations_and_length_have_their_usual_values() -> None:
    digest = hashlib.pbkdf2_hmac("sha512", b"b", b"a", 210_000, 16).hex()
    http = read(basic(f"algorithm: PBKDF2WithHmacSHA512, salt: a, passwordHash: '{digest}'")).http

    assert http and http.login and matches(b"b", http.login.hashed)


def test_the_path_and_what_has_no_effect() -> None:
    assert read("{metrics: {path: custom}}").http == read("{metrics: {path: /custom}}").http
    assert read("{metrics: {path: /custom}}").http.path == "/custom"  # type: ignore[union-attr]
    assert read("{threads: {minimum: 1}}").http.path == ""  # type: ignore[union-attr]
    assert read("{threads: {}, maximumRequestSeconds: 5}").notes == (
        "line 1: httpServer.threads",
        "line 1: httpServer.maximumRequestSeconds",
    )


FAULTS = {
    "{metrics: {path: ' '}}": "httpServer.metrics.path: want a path",
    "{metrics: {}}": "httpServer.metrics.path: want a path",
    "{metrics: {path: '{x}'}}": "httpServer.metrics.path: want a path of a URL",
    "{metrics: {path: livez}}": "httpServer.metrics.path: the adapter has a page there",
    "{authentication: {plugin: {class: a}}}": "httpServer.authentication.plugin: is a class of Java",
    "{authentication: {}}": "httpServer.authentication.basic: is missing",
    "{authentication: {basic: {password: a}}}": "basic.username: want a name",
    "{authentication: {basic: {username: a}}}": "basic.password: is missing",
    "{authentication: {basic: {username: 'a:b', password: c}}}": "basic.username: want a name without",
    basic("password: '${GONE}'"): "basic.password: environment variable GONE is not set",
    basic("algorithm: MD5, salt: a, passwordHash: '00'"): "basic.algorithm: MD5 is not offered",
    basic("algorithm: SHA-1, passwordHash: '00'"): "basic.salt: is missing",
    basic("algorithm: SHA-1, salt: a, passwordHash: xyz"): "basic.passwordHash: want hexadecimal",
    basic("algorithm: SHA-1, salt: a"): "basic.passwordHash: want hexadecimal",
    basic(
        "algorithm: PBKDF2WithHmacSHA1, salt: a, passwordHash: '00'"
    ): "keyLength: is 128, and the hash has 1",
    basic(
        "algorithm: PBKDF2WithHmacSHA1, salt: a, passwordHash: '00', iterations: 99999999"
    ): "want a number",
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_a_fault_names_its_key(text: str, fault: str) -> None:
    with pytest.raises(Fault, match=fault):
        read(text)
