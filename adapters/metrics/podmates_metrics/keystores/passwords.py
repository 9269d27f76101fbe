"""From a password to the key of a cipher, in the ways of PKCS12 (RFC 7292) and PKCS5 (RFC 8018). No I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from podmates_metrics.keystores import rc2
from podmates_metrics.keystores.der import NUMBER, OCTETS, Element, content, name, number, octets, parts
from podmates_metrics.keystores.entries import WRONG
from podmates_metrics.tree import Fault

# Rounds for all of a store: what is hidden may cost seconds, not hours.
MOST_ROUNDS = 5_000_000
_LONGEST = 1024  # bytes of a salt
_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"
_PRF = "1.2.840.113549.2."
_PRFS = {f"{_PRF}7": "sha1", f"{_PRF}8": "sha224", f"{_PRF}9": "sha256", f"{_PRF}10": "sha384"}
_PRFS |= {f"{_PRF}11": "sha512"}
_AES = "2.16.840.1.101.3.4.1."
# cipher and bytes of its key
_CIPHERS = {f"{_AES}2": ("aes", 16), f"{_AES}22": ("aes", 24), f"{_AES}42": ("aes", 32)}
_CIPHERS |= {"1.2.840.113549.3.7": ("3des", 24)}
_OWN = "1.2.840.113549.1.12.1."
_OWN_CIPHERS = {f"{_OWN}3": ("3des", 24), f"{_OWN}4": ("3des", 16)}
_OWN_CIPHERS |= {f"{_OWN}5": ("rc2", 16), f"{_OWN}6": ("rc2", 5)}
FOR_KEY, FOR_START, FOR_DIGEST = 1, 2, 3
# Returns what CBC hid: cipher (``aes``, ``3des``), key, first block, data.
Decrypt = Callable[[str, bytes, bytes, bytes], bytes]


@dataclass(slots=True)
class Secret:
    """A password, and how much may be done with it yet."""

    text: str
    rounds: int = MOST_ROUNDS
    ended: bool = True  # with a NUL in PKCS12's form, which an empty one has not everywhere

    @property
    def wide(self) -> bytes:
        """The form that PKCS12 gives it."""
        return (self.text + "\0" * self.ended).encode("utf-16-be", "surrogatepass")

    @property
    def narrow(self) -> bytes:
        return self.text.encode("utf-8", "surrogatepass")

    def spend(self, rounds: int) -> int:
        """Return *rounds*. Raises Fault: they are too many."""
        self.rounds -= rounds
        if self.rounds < 0:
            raise Fault(f"more than {MOST_ROUNDS} rounds for its passwords")
        return rounds


def plain(algorithm: Element, data: bytes, secret: Secret, decrypt: Decrypt) -> bytes:
    """Return what *algorithm* hid in *data* with a password.

    Raises:
        Fault: it is not offered or damaged, or the password is another.
    """
    which, *rest = parts(algorithm, 2)
    kind = name(which)
    if kind == _PBES2:
        cipher, key, start = _pbes2(rest[0], secret)
    elif kind in _OWN_CIPHERS:
        cipher, size = _OWN_CIPHERS[kind]
        salt, rounds = _salted(rest[0], secret)
        key = stretched(secret, salt, rounds, (FOR_KEY, size, "sha1"))
        start = stretched(secret, salt, secret.spend(rounds), (FOR_START, 8, "sha1"))
    else:
        raise Fault(f"the cipher {kind} is not offered")
    if not data or len(data) % len(start):
        raise Fault(WRONG)
    found = rc2.plain(key, start, data) if cipher == "rc2" else decrypt(cipher, key, start, data)
    filled = found[-1]
    if not 1 <= filled <= len(start) or found[-filled:] != bytes([filled]) * filled:
        raise Fault(WRONG)
    return found[:-filled]


def stretched(secret: Secret, salt: bytes, rounds: int, purpose: tuple[int, int, str]) -> bytes:
    """Return bytes made of a password as PKCS12 does; *purpose*: its number, how many, by which digest."""
    use, size, digest = purpose
    width, make = hashlib.new(digest).block_size, getattr(hashlib, digest)
    state, found = _filled(salt, width) + _filled(secret.wide, width), b""
    while len(found) < size:
        part = make(bytes([use]) * width + state).digest()
        for _ in range(rounds - 1):
            part = make(part).digest()
        found += part
        more = int.from_bytes(_filled(part, width)[:width]) + 1
        blocks = [int.from_bytes(state[at : at + width]) + more for at in range(0, len(state), width)]
        state = b"".join((block & (1 << 8 * width) - 1).to_bytes(width) for block in blocks)
    return found[:size]


def _pbkdf2(algorithm: Element, secret: Secret, size: int) -> bytes:
    """Return *size* bytes made of a password as *algorithm*, a PBKDF2, says. Raises Fault as `plain`."""
    which, *rest = parts(algorithm, 2)
    if name(which) != _PBKDF2:
        raise Fault(f"the key derivation {name(which)} is not offered")
    salt, rounds = _salted(rest[0], secret)
    more = parts(rest[0])[2:]
    if more and more[0].tag == NUMBER and number(more.pop(0), 64) != size:
        raise Fault("the file is damaged")
    digest = name(parts(more[0], 1)[0]) if more else f"{_PRF}7"
    if digest not in _PRFS:
        raise Fault(f"the digest {digest} is not offered")
    return hashlib.pbkdf2_hmac(_PRFS[digest], secret.narrow, salt, rounds, size)


def _pbes2(told: Element, secret: Secret) -> tuple[str, bytes, bytes]:
    derivation, scheme = parts(told, 2)[:2]
    which, *rest = parts(scheme, 2)
    if name(which) not in _CIPHERS:
        raise Fault(f"the cipher {name(which)} is not offered")
    cipher, size = _CIPHERS[name(which)]
    start = content(rest[0], OCTETS)
    if len(start) != (16 if cipher == "aes" else 8):
        raise Fault("the file is damaged")
    return cipher, _pbkdf2(derivation, secret, size), start


def _salted(told: Element, secret: Secret) -> tuple[bytes, int]:
    """Return salt and rounds, which are taken off those that may be."""
    salt, rounds = parts(told, 2)[:2]
    found = octets(salt)
    if len(found) > _LONGEST:
        raise Fault(f"a salt of more than {_LONGEST} bytes")
    return found, secret.spend(max(number(rounds, MOST_ROUNDS), 1))


def _filled(data: bytes, width: int) -> bytes:
    """Return *data* again and again until it fills whole blocks; nothing stays nothing."""
    size = -(-len(data) // width) * width
    return (data * (size // len(data) + 1))[:size] if data else b""
