"""GitHub Apps: a token for an installation, made with the App's key and renewed before it expires."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from podmates_common.files import TooLarge, read_small
from podmates_common.redact import Secret
from podmates_gitsync.auth.credentials import Pair
from podmates_gitsync.git.commands import GitError

_SPARE = 30.0  # seconds before it expires that a token is renewed
_VALID = 600  # seconds, of what we sign: GitHub allows no more


class KeyFileError(Exception):
    """The file of the key cannot be read, which no retry will change."""


class Identity(NamedTuple):
    """Who asks: an App and one installation of it."""

    issuer: str  # the client id, or the application id
    installation: int
    key: Secret | Path
    base_url: str


class Token(NamedTuple):
    """What GitHub gave, and until when."""

    text: str
    expires: float  # Unix time


class App:
    """Has a token at hand.

    Args:
        repo: what the token is for.
        environ: of this process, for proxies and certificates.
        count: is told whether it worked, each time that a token is asked for.
    """

    def __init__(
        self,
        identity: Identity,
        repo: str,
        environ: Mapping[str, str],
        *,
        count: Callable[[bool], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._identity, self._repo, self._environ = identity, repo, environ
        self._count, self._clock = count, clock
        self._token = Token("", 0.0)

    def pair(self, seconds: float) -> Pair:
        """Return a user and a token, a new one if need be, within so many seconds.

        Raises:
            KeyFileError
            GitError: there is no new one.
        """
        if self._token.expires - self._clock() < _SPARE:
            try:
                self._token = self._fetched(seconds)
            except GitError:
                self._count(False)
                raise
            self._count(True)
        return Pair(self._repo, "-", self._token.text)

    def _fetched(self, seconds: float) -> Token:
        from podmates_gitsync.outbound import client  # late: it brings ssl

        identity = self._identity
        claim = {"iat": int(self._clock()), "exp": int(self._clock()) + _VALID, "iss": identity.issuer}
        headers = [
            ("Accept", "application/vnd.github+json"),
            ("Authorization", f"Bearer {signed(claim, self._key())}"),
        ]
        url = f"{identity.base_url.rstrip('/')}/app/installations/{identity.installation}/access_tokens"
        try:
            answer = client.request(
                "POST", url, timeout=seconds, environ=self._environ, headers=headers, follow=True
            )
        except client.OutboundError as error:
            raise GitError(f"GitHub App: {error}") from None
        if answer.status != 201:
            raise GitError(
                f"GitHub App: the server answered with status {answer.status}{_message(answer.body)}"
            )
        return parse(answer.body)

    def _key(self) -> bytes:
        key = self._identity.key
        if isinstance(key, Secret):
            return key.reveal().encode("utf-8", "surrogateescape")
        try:
            return read_small(key)
        except (OSError, TooLarge) as error:
            raise KeyFileError(f"cannot read the key of the GitHub App: {error}") from None


def signed(claim: Mapping[str, object], key: bytes) -> str:
    """Return *claim* as a JSON Web Token (RFC 7519), signed by RS256 with a key in PEM, PKCS#1 or PKCS#8.

    Raises:
        GitError: it is no such key.
    """
    # 16 MB on the disk and 8 MB of memory: only where there is an App.
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(key, password=None)
    except Exception:  # ValueError, TypeError, UnsupportedAlgorithm; their texts may quote the key
        raise GitError("GitHub App: the key is no RSA key in PEM, without a passphrase") from None
    if not isinstance(private, RSAPrivateKey):
        raise GitError("GitHub App: the key is no RSA key")
    head = _encoded(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
    text = f"{head}.{_encoded(json.dumps(claim).encode())}"
    return f"{text}.{_encoded(private.sign(text.encode(), PKCS1v15(), SHA256()))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parse(body: bytes) -> Token:
    """Return the token in GitHub's answer.

    Raises:
        GitError: there is none.
    """
    try:
        answer = json.loads(body)
        expires = datetime.fromisoformat(answer["expires_at"])
        moment = (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp()
        text = answer["token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise GitError("GitHub App: the answer has no token and no expires_at") from None
    if not isinstance(text, str) or not text:
        raise GitError("GitHub App: the answer has no token")
    return Token(text, moment)


def _message(body: bytes) -> str:
    """Return what GitHub says of a failure, shortened."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f": {message[:200]}" if isinstance(message, str) else ""
