"""Whether a request knows the secret. Nothing here can be hurried: every secret is tried, in constant time.

A signature is computed while the body comes, so that the body need not be kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence

Headers = Mapping[str, str]  # names in lower case
Secrets = Sequence[bytes]
Ask = Callable[[Headers, Secrets, float], "Check"]

OLDEST = 300  # seconds that the time in a signed request may be off, either way
_HEX = re.compile(r"[0-9A-Fa-f]{64}")


class Check:
    """The answer that a body brings; it is fed as it comes.

    Args:
        known: a header alone has proved it.
        signatures: (code over what comes, the one that was sent).
    """

    def __init__(self, known: bool = False, signatures: Sequence[tuple[hmac.HMAC, bytes]] = ()) -> None:
        self.known, self.signatures = known, list(signatures)

    @property
    def hopeless(self) -> bool:
        """No body can make it hold."""
        return not self.known and not self.signatures

    def feed(self, data: bytes) -> None:
        """Take the next part of the body."""
        for code, _ in self.signatures:
            code.update(data)

    def holds(self) -> bool:
        """Return the answer, after the whole body."""
        equal = [hmac.compare_digest(code.digest(), sent) for code, sent in self.signatures]
        return self.known or any(equal)


def signature(header: str, prefix: str) -> Ask:
    """Return a check of *header*: *prefix* and the hex HMAC-SHA256 of the body."""

    def ask(headers: Headers, secrets: Secrets, _: float) -> Check:
        value = headers.get(header, "")
        if not value.startswith(prefix) or not _HEX.fullmatch(value[len(prefix) :]):
            return Check()
        sent = bytes.fromhex(value[len(prefix) :])
        return Check(signatures=[(hmac.new(secret, digestmod=hashlib.sha256), sent) for secret in secrets])

    return ask


def bearer(headers: Headers, secrets: Secrets, _: float) -> Check:
    """Check ``Authorization: Bearer <secret>``."""
    scheme, token = _authorization(headers)
    return Check(scheme == "bearer" and _is_one(token, secrets))


def basic(headers: Headers, secrets: Secrets, _: float) -> Check:
    """Check the password of ``Authorization: Basic``, whoever the user is."""
    scheme, encoded = _authorization(headers)
    try:
        pair = base64.b64decode(encoded, validate=True) if scheme == "basic" else b""
    except ValueError:
        return Check()
    return Check(b":" in pair and _is_one(pair.partition(b":")[2], secrets))


def gitlab(headers: Headers, secrets: Secrets, now: float) -> Check:
    """Check the token, or a signature of the Standard Webhooks that is fresh.

    Source: standardwebhooks specification, "Signature scheme"; what is signed is id, time and body.
    """
    known = _is_one(headers.get("x-gitlab-token", ""), secrets)
    identity, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", time) or abs(now - int(time)) > OLDEST:
        return Check(known)
    sent = [_decoded(word[3:]) for word in headers.get("webhook-signature", "").split() if word[:3] == "v1,"]
    front = f"{identity}.{time}.".encode("utf-8", "surrogateescape")
    return Check(
        known,
        [
            (hmac.new(key, front, hashlib.sha256), one)
            for secret in secrets
            for key in _signing_keys(secret)
            for one in sent[:4]  # more keys than that nobody has in rotation
        ],
    )


def either(*asks: Ask) -> Ask:
    """Return a check that holds when one of *asks* does."""

    def ask(headers: Headers, secrets: Secrets, now: float) -> Check:
        checks = [ask(headers, secrets, now) for ask in asks]
        known = any(check.known for check in checks)
        return Check(known, [pair for check in checks for pair in check.signatures])

    return ask


def _authorization(headers: Headers) -> tuple[str, str]:
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    return scheme.lower(), rest.strip()


def _is_one(text: str | bytes, secrets: Secrets) -> bool:
    """Compare digests, as a comparison tells how long unequal texts are."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    given = hashlib.sha256(data).digest()
    equal = [hmac.compare_digest(given, hashlib.sha256(secret).digest()) for secret in secrets]
    return any(equal)


def _signing_keys(secret: bytes) -> list[bytes]:
    """A secret of the Standard Webhooks is ``whsec_`` and base64; GitLab takes it as it is shown, too."""
    key = _decoded(secret[6:].decode("latin-1")) if secret.startswith(b"whsec_") else b""
    return [secret, key] if key else [secret]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
