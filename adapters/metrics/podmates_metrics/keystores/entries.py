"""What is in a store of certificates and keys, whatever its form. No I/O."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from podmates_metrics.tree import Fault

WRONG = "the password is wrong, or the file is damaged"
_NAMED = 10  # aliases in a fault
_LINE = 64  # characters


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its certificates.

    Attributes:
        alias: in small letters, as Java has it.
        chain: certificates in DER, the key's own first.
        locked: the key as the store keeps it.
    """

    alias: str
    chain: tuple[bytes, ...]
    locked: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Contents:
    """A store that was read.

    Attributes:
        trusted: certificates in DER that stand there by themselves.
        unlock: returns the key of an entry in DER (PKCS#8); raises Fault if it cannot.
    """

    entries: tuple[Entry, ...]
    trusted: tuple[bytes, ...]
    unlock: Callable[[Entry], bytes] = field(repr=False)


def anchors(contents: Contents) -> list[bytes]:
    """Return the certificates to believe in, those that Java takes: no authority of a key's own.

    Raises:
        Fault: there is none.
    """
    found = [*contents.trusted, *(entry.chain[0] for entry in contents.entries if entry.chain)]
    if not found:
        raise Fault("holds no certificate")
    return list(dict.fromkeys(found))


def chosen(contents: Contents, alias: str) -> bytes:
    """Return the key called *alias* and its certificates in PEM; without an alias those of the first one.

    Raises:
        Fault: there is no such key, or it cannot be had.
    """
    usable = [entry for entry in contents.entries if entry.chain]
    for entry in usable:
        if not alias or entry.alias == alias.lower():
            certificates = b"".join(_pem("CERTIFICATE", each) for each in entry.chain)
            return certificates + _pem("PRIVATE KEY", contents.unlock(entry))
    if not usable:
        raise Fault("holds no key with a certificate")
    names = ", ".join(entry.alias[:40] for entry in usable[:_NAMED])
    raise Fault(f"holds no key called {alias[:40]}; there is {names}")


def _pem(label: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()
