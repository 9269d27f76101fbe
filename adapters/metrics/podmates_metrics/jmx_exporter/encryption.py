"""What a jmx_exporter file says about TLS to the JVM. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_metrics.jmx_exporter.rules import boolean, string
from podmates_metrics.keystores.store import FORMS, NOWHERE, Store
from podmates_metrics.tree import Keys, Listing, Place, Scalar, Table

VERSIONS = ("TLSv1.2", "TLSv1.3")


@dataclass(frozen=True, slots=True)
class Encryption:
    """TLS, with the system's authorities and those of *trust*; *own* is shown to a JVM that asks.

    Attributes:
        versions: those of `VERSIONS` that may be spoken; empty: all.
    """

    trust: Store = NOWHERE
    own: Store = NOWHERE
    versions: tuple[str, ...] = ()


def decode_encryption(top: Keys) -> Encryption | None:
    """Return what the key `ssl` says, None for no TLS.

    Raises:
        Fault: it is wrong, or wants what is not offered.
    """
    found = top.get("ssl")
    if found is None:
        return None
    if isinstance(found, Scalar):
        return Encryption() if top.scalar("ssl", boolean, False) else None
    inner = top.table_at("ssl", "ssl")
    if inner is None or not inner.scalar("enabled", boolean, False):
        return None
    if inner.get("ciphers") is not None:
        raise inner.place("ciphers").fault("is not offered; TLS takes its safe ones")
    return Encryption(_store(inner, "trustStore"), _store(inner, "keyStore"), _versions(inner))


def _store(ssl: Keys, key: str) -> Store:
    entry = ssl.table_at(key, key)
    if entry is None:
        return NOWHERE
    return Store(entry.text("filename"), entry.text("password"), entry.scalar("type", _form, ""))


def _form(scalar: Scalar) -> str:
    found = string(scalar).strip().upper()
    if found not in FORMS:
        raise ValueError(f"{found[:20]} is not offered; want {', '.join(FORMS)}")
    return found


def _versions(ssl: Keys) -> tuple[str, ...]:
    """Return the versions of a list or of a text with commas."""
    found, place = ssl.get("protocols"), ssl.place("protocols")
    items = found.items if isinstance(found, Listing) else () if found is None else (found,)
    if any(isinstance(item, Listing | Table) for item in items):
        raise place.fault("want a list of versions")
    texts = [part.strip() for item in items if isinstance(item, Scalar) for part in item.text.split(",")]
    return tuple(_version(text, place) for text in texts if text)


def _version(text: str, place: Place) -> str:
    if text not in VERSIONS:
        raise place.fault(f"{text[:20]} is not offered; want {' or '.join(VERSIONS)}")
    return text
