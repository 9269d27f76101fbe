"""A GitHub App's token: asked for with a signed claim, kept until shortly before it expires."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from podmates_common.redact import Secret
from podmates_gitsync.auth.credentials import Pair
from podmates_gitsync.auth.github import App, Identity, KeyFileError, parse
from podmates_gitsync.git.commands import GitError
from tests.support.web_server import Asked, Reply, WebServer

NOW = 1_700_000_000.0


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(
    form: PrivateFormat = PrivateFormat.PKCS8, encryption: KeySerializationEncryption | None = None
) -> bytes:
    return key().private_bytes(Encoding.PEM, form, encryption or NoEncryption())


def granted(text: str, at: float) -> bytes:
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"token": text, "expires_at": when, "permissions": {}}).encode()


class Setup:
    """An App at a server of its own, with a clock that a test moves."""

    def __init__(self, server: WebServer) -> None:
        self.server, self.now = server, NOW
        self.counts: list[bool] = []

    def app(self, key: Secret | Path | None = None, *, issuer: str = "Iv1.abc", path: str = "") -> App:
        identity = Identity(
            issuer, 42, Secret(pem().decode()) if key is None else key, self.server.url + path
        )
        return App(identity, "https://h/r", {}, count=self.counts.append, clock=lambda: self.now)


@pytest.fixture
def setup() -> Iterator[Setup]:
    with WebServer(lambda asked: Reply(201, granted("ghs_1", NOW + 3600))) as server:
        yield Setup(server)


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claim_of(asked: Asked) -> dict[str, object]:
    """Return what was claimed, once the signature is checked."""
    head, claim, signature = asked.headers["authorization"].removeprefix("Bearer ").split(".")
    key().public_key().verify(decoded(signature), f"{head}.{claim}".encode(), PKCS1v15(), SHA256())
    assert json.loads(decoded(head)) == {"alg": "RS256", "typ": "JWT"}
    found: dict[str, object] = json.loads(decoded(claim))
    return found


def test_a_token_is_asked_for_with_a_signed_claim(setup: Setup) -> None:
    assert setup.app().pair(60) == Pair("https://h/r", "-", "ghs_1")

    (asked,) = setup.server.asked
    assert (asked.method, asked.path) == ("POST", "/app/installations/42/access_tokens")
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert claim_of(asked) == {"iss": "Iv1.abc", "iat": int(NOW), "exp": int(NOW) + 600}
    assert setup.counts == [True]


@pytest.mark.parametrize("path", ["", "/", "/api/v3", "/api/v3/"])
def test_the_base_url_joins_with_and_without_a_slash(setup: Setup, path: str) -> None:
    setup.app(path=path).pair(60)

    assert setup.server.asked[0].path == f"{path.rstrip('/')}/app/installations/42/access_tokens"


@pytest.mark.parametrize(("left", "asks"), [(31, 1), (30, 1), (29, 2), (-1, 2)])
def test_it_is_renewed_within_30_seconds_of_its_end(setup: Setup, left: int, asks: int) -> None:
    app = setup.app()
    app.pair(60)
    setup.now = NOW + 3600 - left
    setup.server.answer = lambda asked: Reply(201, granted("ghs_2", NOW + 7200))

    assert app.pair(60).password == f"ghs_{asks}"
    assert len(setup.server.asked) == asks


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_both_forms_of_a_key_are_read_also_from_a_file(
    setup: Setup, tmp_path: Path, form: PrivateFormat
) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(form))
    setup.app(file, issuer="7").pair(60)

    assert claim_of(setup.server.asked[0])["iss"] == "7"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hunter2",
        b"-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\n",
        pem(encryption=BestAvailableEncryption(b"hunter2")),
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
    ],
    ids=["empty", "no PEM", "broken", "encrypted", "elliptic"],
)
def test_a_key_of_another_kind_fails_and_is_not_shown(setup: Setup, text: bytes) -> None:
    with pytest.raises(GitError, match="is no RSA key") as caught:
        setup.app(Secret(text.decode())).pair(60)

    assert "hunter2" not in str(caught.value)
    assert setup.server.asked == []


def test_a_key_file_that_cannot_be_read_is_worse_than_a_failure(setup: Setup, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        setup.app(tmp_path / "none").pair(60)


@pytest.mark.parametrize("status", [200, 204, 401, 404, 500])
def test_only_201_is_a_success(setup: Setup, status: int) -> None:
    body = b'{"message": "A JSON web token could not be decoded"}' if status == 401 else granted("x", NOW)
    setup.server.answer = lambda asked: Reply(status, body)
    with pytest.raises(GitError, match=f"status {status}") as caught:
        setup.app().pair(60)

    assert ("could not be decoded" in str(caught.value)) == (status == 401)
    assert setup.counts == [False]


def test_a_server_that_does_not_answer_in_time_is_a_failure(setup: Setup) -> None:
    told = threading.Event()
    setup.server.answer = lambda asked: Reply(201 if told.wait(60) else 500)
    with pytest.raises(GitError, match="timed out"):
        setup.app().pair(0.1)
    told.set()

    assert setup.counts == [False]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"token": "x"}', b'{"token": "", "expires_at": "2020-01-01T00:00:00Z"}'),
        *(b'{"token": 1, "expires_at": "2020-01-01T00:00:00Z"}', b'{"token": "x", "expires_at": "soon"}'),
        *(b'{"token": "x", "expires_at": 1}', b"\xff", b"[" * 100000),
    ],
    ids=range(10),
)
def test_an_answer_without_a_token_is_a_failure(body: bytes) -> None:
    with pytest.raises(GitError, match="has no token"):
        parse(body)


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone of the machine."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_the_end_of_a_token_is_a_time_in_its_zone_or_in_utc() -> None:
    for text in ("2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00", "2023-11-14T22:13:20"):
        assert parse(json.dumps({"token": "x", "expires_at": text}).encode()) == ("x", NOW)
