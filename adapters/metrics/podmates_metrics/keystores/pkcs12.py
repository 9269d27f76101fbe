"""PKCS12 (RFC 7292): entries by their names and marks of trust, as Java takes them. No I/O.

The package cryptography reads such a store, too, but one key of it, and tells no mark.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from podmates_metrics.keystores.der import (
    CHOSEN,
    NUMBER,
    SET,
    Element,
    content,
    elements,
    name,
    number,
    octets,
    parts,
    sequence,
)
from podmates_metrics.keystores.entries import WRONG, Contents, Entry
from podmates_metrics.keystores.passwords import (
    FOR_DIGEST,
    MOST_ROUNDS,
    Decrypt,
    Secret,
    plain,
    stretched,
)
from podmates_metrics.tree import Fault

_PKCS7, _PKCS9, _BAG = "1.2.840.113549.1.7.", "1.2.840.113549.1.9.", "1.2.840.113549.1.12.10.1."
_DATA, _ENCRYPTED = f"{_PKCS7}1", f"{_PKCS7}6"
_KEY, _HIDDEN_KEY, _CERTIFICATE = f"{_BAG}1", f"{_BAG}2", f"{_BAG}3"
_X509 = f"{_PKCS9}22.1"
_FRIENDLY, _LOCAL = f"{_PKCS9}20", f"{_PKCS9}21"
_TRUSTED = "2.16.840.1.113894.746875.1.1"  # Oracle's mark on certificates that stand by themselves
_SHA2 = "2.16.840.1.101.3.4.2."
_DIGESTS = {"1.3.14.3.2.26": "sha1", f"{_SHA2}1": "sha256", f"{_SHA2}2": "sha384", f"{_SHA2}3": "sha512"}
_DIGESTS |= {f"{_SHA2}4": "sha224"}
_LONGEST_CHAIN = 20


@dataclass(slots=True)
class _Bags:
    """What the parts of a store hold, with what is told of it; keys as they are kept."""

    keys: list[tuple[dict[str, Element], bytes]] = field(default_factory=list)
    certificates: list[tuple[dict[str, Element], bytes]] = field(default_factory=list)


def read(data: bytes, password: str, decrypt: Decrypt) -> Contents:
    """Return what is in a store.

    Without a password it is not verified, as Java does it, and what is hidden cannot be had.

    Raises:
        Fault: it is none, or damaged, or the password is wrong.
    """
    version, outer, *rest = sequence(data, 2)
    if version.tag != NUMBER or number(version, 255) != 3:
        raise Fault("is no PKCS12 store")
    kind, inner = _told(outer)
    if kind != _DATA:
        raise Fault("is signed with a certificate, which is not offered")
    secret, safe = Secret(password), octets(inner)
    if rest and not _verified(rest[0], safe, secret) and password:
        raise Fault(WRONG)
    bags = _Bags()
    for part in sequence(safe):
        kind, inner = _told(part)
        if kind == _DATA:
            _collect(octets(inner), bags)
        elif kind == _ENCRYPTED:
            _collect(_shown(inner, secret, decrypt), bags)
        else:
            raise Fault("a part is hidden by a certificate, which is not offered")
    return _contents(bags, secret, decrypt)


def _told(info: Element) -> tuple[str, Element]:
    """Return the kind of a part, and its content."""
    kind, wrapped = parts(info, 2)[:2]
    return name(kind), _only(wrapped)


def _only(wrapped: Element) -> Element:
    found = elements(content(wrapped, CHOSEN))
    if len(found) != 1:
        raise Fault("the file is damaged")
    return found[0]


def _verified(told: Element, safe: bytes, secret: Secret) -> bool:
    """Whether the digest over a store is that of its password; an empty one has two forms."""
    info, salt, *rest = parts(told, 2)
    algorithm, digest = parts(info, 2)[:2]
    which = name(parts(algorithm, 1)[0])
    if which not in _DIGESTS:
        raise Fault(f"the digest {which} is not offered")
    made, size = _DIGESTS[which], hashlib.new(_DIGESTS[which]).digest_size
    rounds = max(number(rest[0], MOST_ROUNDS), 1) if rest else 1
    for ended in (True,) if secret.text else (True, False):
        secret.ended = ended
        key = stretched(secret, octets(salt)[:1024], secret.spend(rounds), (FOR_DIGEST, size, made))
        if hmac.compare_digest(hmac.digest(key, safe, made), octets(digest)):
            return True
    return False


def _shown(inner: Element, secret: Secret, decrypt: Decrypt) -> bytes:
    _, algorithm, hidden = parts(parts(inner, 2)[1], 3)[:3]
    try:
        return plain(algorithm, octets(hidden, CHOSEN & ~0x20), secret, decrypt)
    except Fault:
        if not secret.text:
            raise Fault("its certificates are encrypted, and the password is missing") from None
        raise


def _collect(data: bytes, bags: _Bags) -> None:
    for bag in sequence(data):
        kind, wrapped, *rest = parts(bag, 2)
        told = _attributes(rest[0]) if rest else {}
        if name(kind) in (_KEY, _HIDDEN_KEY):
            bags.keys.append((told, content(wrapped, CHOSEN)))
        elif name(kind) == _CERTIFICATE:
            form, value = parts(_only(wrapped), 2)[:2]
            if name(form) == _X509:
                bags.certificates.append((told, octets(_only(value))))


def _attributes(told: Element) -> dict[str, Element]:
    found = {}
    for attribute in parts(told, 0, SET):
        kind, values = parts(attribute, 2)[:2]
        inner = parts(values, 0, SET)
        if inner:
            found[name(kind)] = inner[0]
    return found


def _contents(bags: _Bags, secret: Secret, decrypt: Decrypt) -> Contents:
    own: dict[bytes, bytes] = {}
    subjects: dict[bytes, bytes] = {}
    for told, certificate in bags.certificates:
        if _LOCAL in told:
            own.setdefault(told[_LOCAL].content, certificate)
        subjects.setdefault(_names(certificate)[1], certificate)
    entries = []
    for count, (told, locked) in enumerate(bags.keys, 1):
        alias = told[_FRIENDLY].content.decode("utf-16-be", "replace") if _FRIENDLY in told else str(count)
        first = own.get(told[_LOCAL].content) if _LOCAL in told else None
        entries.append(Entry(alias.lower(), _chain(first, subjects) if first else (), locked))
    trusted = [certificate for told, certificate in bags.certificates if _TRUSTED in told]
    if not trusted and not entries:  # others than keytool write no mark
        trusted = [certificate for _, certificate in bags.certificates]

    def unlock(entry: Entry) -> bytes:
        algorithm, hidden = sequence(entry.locked, 2)[:2]
        if algorithm.tag == NUMBER:  # the version of a key that is not hidden
            return entry.locked
        try:
            return plain(algorithm, octets(hidden), secret, decrypt)
        except Fault as error:
            raise Fault(f"the key {entry.alias[:40]}: {error}") from None

    return Contents(tuple(entries), tuple(trusted), unlock)


def _chain(first: bytes, subjects: dict[bytes, bytes]) -> tuple[bytes, ...]:
    """Return a certificate and those that it is signed by, as far as they are there."""
    found = [first]
    while len(found) < _LONGEST_CHAIN:
        more = subjects.get(_names(found[-1])[0])
        if more is None or more in found:
            break
        found.append(more)
    return tuple(found)


def _names(certificate: bytes) -> tuple[bytes, bytes]:
    """Return issuer and subject of a certificate, as they are written."""
    told = parts(sequence(certificate, 1)[0], 5)
    told = told[told[0].tag == CHOSEN :]  # the version may be left out
    if len(told) < 5:
        raise Fault("holds a certificate that is none")
    return told[2].content, told[4].content
