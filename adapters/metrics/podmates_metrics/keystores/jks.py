"""Java's own form of stores, JKS: read, its keys unlocked. No I/O.

A digest that the password goes into protects the whole; the keys are covered by a stream of SHA-1.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from podmates_metrics.jmx.javautf import decode
from podmates_metrics.keystores.der import name, octets, parts, sequence
from podmates_metrics.keystores.entries import WRONG, Contents, Entry
from podmates_metrics.tree import Fault

MAGIC, OTHER_MAGIC = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"  # the second is that of JCEKS
_KEY, _CERTIFICATE = 1, 2
_WHITENER = b"Mighty Aphrodite"
_PROTECTOR = "1.3.6.1.4.1.42.2.17.1.1"
_DIGEST = 20  # bytes of SHA-1
_MOST = 10_000  # entries, and certificates of one
_DAMAGED = "the file is damaged"


def read(data: bytes, password: str) -> Contents:
    """Return what is in a store; without a password it is not verified, as Java does it.

    Raises:
        Fault: it is none, or damaged, or the password is wrong.
    """
    body, digest = data[:-_DIGEST], data[-_DIGEST:]
    reader = _Reader(body)
    if reader.take(4) != MAGIC:
        raise Fault("is no JKS store")
    version = reader.number(4)
    if version not in (1, 2):
        raise Fault(f"version {version} of JKS is not offered")
    secret = password.encode("utf-16-be", "surrogatepass")
    if password and not hmac.compare_digest(_sha1(secret + _WHITENER + body), digest):
        raise Fault(WRONG)
    entries: list[Entry] = []
    trusted: list[bytes] = []
    for _ in range(reader.count()):
        tag, alias = reader.number(4), reader.text()
        reader.take(8)  # its date
        if tag == _KEY:
            locked = reader.blob()
            chain = tuple(_certificate(reader, version) for _ in range(reader.count()))
            entries.append(Entry(alias.lower(), chain, locked))
        elif tag == _CERTIFICATE:
            trusted.append(_certificate(reader, version))
        else:
            raise Fault(_DAMAGED)
    if reader.at != len(body):
        raise Fault(_DAMAGED)
    return Contents(tuple(entries), tuple(trusted), lambda entry: _unlock(entry, secret))


def _certificate(reader: _Reader, version: int) -> bytes:
    kind = reader.text() if version == 2 else "X.509"
    if kind not in ("X.509", "X509"):
        raise Fault(f"certificates of the kind {kind[:20]!r} are not offered")
    return reader.blob()


def _unlock(entry: Entry, secret: bytes) -> bytes:
    algorithm, covered = sequence(entry.locked, 2)[:2]
    if name(parts(algorithm, 1)[0]) != _PROTECTOR:
        raise Fault(f"the key {entry.alias[:40]} is protected in a way that is not offered")
    data = octets(covered)
    if len(data) <= 2 * _DIGEST:
        raise Fault(_DAMAGED)
    link, hidden, check = data[:_DIGEST], data[_DIGEST:-_DIGEST], data[-_DIGEST:]
    stream = bytearray()
    while len(stream) < len(hidden):
        link = _sha1(secret + link)
        stream += link
    cover = int.from_bytes(stream[: len(hidden)])
    plain = (int.from_bytes(hidden) ^ cover).to_bytes(len(hidden))
    if not hmac.compare_digest(_sha1(secret + plain), check):
        raise Fault(f"the key {entry.alias[:40]} has another password, or is damaged")
    return plain


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise Fault(_DAMAGED)
        self.at += count
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def count(self) -> int:
        found = self.number(4)
        if found > _MOST:
            raise Fault(f"more than {_MOST} entries, or damaged")
        return found

    def blob(self) -> bytes:
        return self.take(self.number(4))

    def text(self) -> str:
        try:
            return decode(self.take(self.number(2)))
        except UnicodeDecodeError:
            raise Fault(_DAMAGED) from None
