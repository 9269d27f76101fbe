"""Names that Java has for ciphers of TLS, and OpenSSL's for the same. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

NEW = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")  # of TLS 1.3
_IGNORED = "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"  # a sign, and no cipher
_OLD = re.compile(
    r"TLS_(?:(?:(?:EC)?DHE_)?RSA|ECDHE_ECDSA)_WITH_AES_"
    r"(?:128_(?:GCM_SHA256|CBC_SHA(?:256)?)|256_(?:GCM_SHA384|CBC_SHA))"
    r"|TLS_ECDHE_(?:RSA|ECDSA)_WITH_AES_256_CBC_SHA384"
    r"|TLS_(?:DHE_)?RSA_WITH_AES_256_CBC_SHA256"
    r"|TLS_(?:(?:EC)?DHE_RSA|ECDHE_ECDSA)_WITH_CHACHA20_POLY1305_SHA256"
)


@dataclass(frozen=True, slots=True)
class Suites:
    """Ciphers to use; none at all: the usual ones.

    Attributes:
        old: those of TLS 1.2, by OpenSSL's names.
        new: those of TLS 1.3.
    """

    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


USUAL = Suites()


def suites(names: list[str]) -> Suites:
    """Return what *names* of Java stand for.

    Raises:
        ValueError: one is unknown, or none is left.
    """
    names = [name for name in names if name != _IGNORED]
    found = Suites(
        tuple(_old(name) for name in names if name not in NEW), tuple(n for n in names if n in NEW)
    )
    if found == USUAL:
        raise ValueError("want a list of ciphers")
    return found


def servable(found: Suites) -> Suites:
    """Return those of *found* that a server can use: DHE wants parameters, which Python cannot choose.

    Raises:
        ValueError: none is left.
    """
    left = replace(found, old=tuple(name for name in found.old if not name.startswith("DHE-")))
    if left == USUAL:
        raise ValueError("those with DHE cannot be served; want such as have ECDHE")
    return left


def _old(name: str) -> str:
    if not _OLD.fullmatch(name):
        raise ValueError(f"{name[:60]!r} is unknown, or too weak for OpenSSL")
    exchange, _, cipher = name.removeprefix("TLS_").partition("_WITH_")
    if cipher.startswith("CHACHA20"):
        cipher = cipher.removesuffix("_SHA256")
    written = cipher.replace("AES_", "AES").replace("_CBC_", "-").replace("_", "-")
    return written if exchange == "RSA" else f"{exchange.replace('_', '-')}-{written}"
