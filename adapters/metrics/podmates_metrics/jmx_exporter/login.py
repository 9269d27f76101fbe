"""One user's password, as jmx_exporter keeps it: in the clear, hashed with a salt, or by PBKDF2. No I/O."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from podmates_metrics.tree import Keys, Scalar

MARK = "jmx"  # what a hashed password begins with
_HASHES = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
_STRETCHED = {
    "PBKDF2WithHmacSHA1": ("sha1", 1_300_000),
    "PBKDF2WithHmacSHA256": ("sha256", 600_000),
    "PBKDF2WithHmacSHA512": ("sha512", 210_000),
}
_SALTED, _KEY_LENGTH = "salted", 128  # 16 bytes
MAX_ITERATIONS, MAX_HASH = 10_000_000, 512  # rounds, bytes


@dataclass(frozen=True, slots=True)
class Login:
    """A user; *hashed* is the text that `matches` takes."""

    username: str
    hashed: str = field(repr=False)


def matches(password: bytes, hashed: str) -> bool:
    """Whether *password* is the one of *hashed*; it takes its time."""
    _, kind, name, rounds, salt, digest = hashed.split(":")
    wanted, seed = bytes.fromhex(digest), bytes.fromhex(salt)
    if kind == _SALTED:
        found = hashlib.new(name, seed + password).digest()
    else:
        found = hashlib.pbkdf2_hmac(name, password, seed, int(rounds), len(wanted))
    return hmac.compare_digest(found, wanted)


def decode_login(basic: Keys, resolved: dict[str, str]) -> Login:
    """Return what `httpServer.authentication.basic` says; *resolved* has its name and password.

    Raises:
        Fault: it is wrong.
    """
    username, algorithm = resolved["username"], basic.text("algorithm") or "plaintext"
    if not username or ":" in username:
        raise basic.place("username").fault("want a name without a colon")
    if algorithm.lower() == "plaintext":
        if not resolved["password"]:
            raise basic.place("password").fault("is missing")
        found = hashlib.sha256(resolved["password"].encode()).hexdigest()
        return Login(username, f"{MARK}:{_SALTED}:sha256:0::{found}")
    salt, digest = basic.text("salt").encode(), _digest(basic)
    if not salt:
        raise basic.place("salt").fault("is missing")
    if algorithm in _HASHES:
        return Login(
            username, f"{MARK}:{_SALTED}:{_HASHES[algorithm]}:0:{(salt + b':').hex()}:{digest.hex()}"
        )
    if algorithm not in _STRETCHED:
        raise basic.place("algorithm").fault(f"{algorithm[:40]} is not offered")
    name, usual = _STRETCHED[algorithm]
    rounds = basic.scalar("iterations", lambda s: _count(s, MAX_ITERATIONS), usual)
    length = basic.scalar("keyLength", lambda s: _count(s, MAX_HASH * 8), _KEY_LENGTH)
    if length not in (len(digest), len(digest) * 8):
        raise basic.place("keyLength").fault(f"is {length}, and the hash has {len(digest)} bytes")
    return Login(username, f"{MARK}:stretched:{name}:{rounds}:{salt.hex()}:{digest.hex()}")


def _digest(basic: Keys) -> bytes:
    text = basic.text("passwordHash").replace(":", "")
    if not re.fullmatch(rf"(?:[0-9a-fA-F]{{2}}){{1,{MAX_HASH}}}", text):
        raise basic.place("passwordHash").fault("want hexadecimal digits")
    return bytes.fromhex(text)


def _count(scalar: Scalar, most: int) -> int:
    if not re.fullmatch("[0-9]{1,8}", scalar.text) or not 1 <= int(scalar.text) <= most:
        raise ValueError(f"want a number from 1 to {most}")
    return int(scalar.text)
