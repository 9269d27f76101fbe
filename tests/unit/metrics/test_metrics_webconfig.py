"""The web configuration file: strict, and no secret in what it complains of."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.tree import Fault
from podmates_metrics.webconfig import Tls, WebConfig, decode

HASH = "$2y$10$" + "a" * 53


def test_an_empty_file_lets_everybody_in() -> None:
    assert decode(parse("")) == WebConfig()
    assert decode(parse("tls_server_config: {}\nhttp_server_config: {http2: false}")) == WebConfig()


def test_every_part_is_read() -> None:
    found = decode(
        parse(
            f"""
tls_server_config:
  cert_file: a.pem
  key_file: a.key
  client_auth_type: VerifyClientCertIfGiven
  client_ca_file: ca.pem
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]
  prefer_server_cipher_suites: true
http_server_config:
  http2: true
  headers: {{X-Frame-Options: deny}}
basic_auth_users:
  alice: {HASH}
"""  # noqa: E501
        )
    )

    suites = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
    assert found.tls == Tls("a.pem", "a.key", "ca.pem", "optional", "TLSv1_2", "TLSv1_3", suites)
    assert found.users == {"alice": HASH}
    assert found.headers == {"X-Frame-Options": "deny"}
    assert HASH not in repr(found)


FAULTS = {
    "bogus: 1": "line 1: bogus: field bogus not found in type web.Config",
    "tls_server_config: {cert_file: a}": "tls_server_config: want cert_file and key_file",
    "tls_server_config: {cert_file: a, key_file: b, min_version: TLS10}": "TLS version TLS10 is not offered",
    "tls_server_config: {cert_file: a, key_file: b, min_version: TLS13, max_version: TLS12}": "newer than",
    "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAnyClientCert}": "not offered",
    "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}": "want c",
    "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}": "want client_auth_type, too",
    "tls_server_config: {cert_file: a, key_file: b, curve_preferences: [X]}": "curve_preferences is not off",
    "tls_server_config: {cert_file: a, key_file: b, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}": "weak",
    "tls_server_config: {cert_file: a, key_file: b, bogus: c}": "field bogus not found in type web.TLSConfig",
    "http_server_config: {http2: 3}": "cannot unmarshal !!int",
    "http_server_config: {headers: {Server: x}}": "HTTP header Server can not be configured",
    'http_server_config: {headers: {X-Frame-Options: "a\\nb"}}': "want printable ASCII",
    "basic_auth_users: {alice: hunter2}": "line 1: basic_auth_users.alice: want a bcrypt hash",
    f"basic_auth_users: {{alice: {HASH.replace('10', '31', 1)}}}": "of a cost from 4 to 14",
    f'basic_auth_users: {{"a:b": {HASH}}}': "has no colon",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=FAULTS.keys())
def test_a_fault_is_named_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        decode(parse(text))

    assert reason in str(caught.value)
    assert str(caught.value).startswith("line 1: ")
    assert "hunter2" not in str(caught.value)
