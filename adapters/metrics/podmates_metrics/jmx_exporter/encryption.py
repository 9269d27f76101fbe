"""What a jmx_exporter file says about TLS, to the JVM and of its web port. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podmates_metrics.jmx_exporter.rules import boolean, string
from podmates_metrics.jmx_exporter.suites import NEW, USUAL, Suites, servable, suites
from podmates_metrics.keystores.store import FORMS, NOWHERE, PEM, Store
from podmates_metrics.tree import Keys, Listing, Place, Scalar, Table

VERSIONS = ("TLSv1.2", "TLSv1.3")
Resolve = Callable[[Scalar], str]


@dataclass(frozen=True, slots=True)
class Encryption:
    """TLS: to a JVM with the system's authorities and those of *trust*; to the web port with these alone.

    Attributes:
        own: shown to a JVM that asks; by the web port to everybody.
        versions: those of `VERSIONS` that may be spoken; empty: all.
        mutual: the web port wants a certificate of each client.
    """

    trust: Store = NOWHERE
    own: Store = NOWHERE
    versions: tuple[str, ...] = ()
    suites: Suites = USUAL
    mutual: bool = False


def decode_encryption(top: Keys) -> tuple[Encryption | None, list[str]]:
    """Return what the key `ssl` says, None for no TLS, and notes on what has no effect.

    Raises:
        Fault: it is wrong, or wants what is not offered.
    """
    found = top.get("ssl")
    if found is None:
        return None, []
    if isinstance(found, Scalar):
        return (Encryption() if top.scalar("ssl", boolean, False) else None), []
    inner = top.table_at("ssl", "ssl")
    if inner is None or not inner.scalar("enabled", boolean, False):
        return None, []
    ciphers, versions, notes = _spoken(inner)
    own = _store(inner, "keyStore", _written)
    return Encryption(_store(inner, "trustStore", _written), own, versions, ciphers), notes


def decode_served(server: Keys, resolve: Resolve) -> tuple[Encryption | None, list[str]]:
    """Return the same of `httpServer.ssl`, whose passwords *resolve* may take from elsewhere."""
    inner = server.table_at("ssl", "ssl")
    if inner is None:
        return None, []
    own, trust = _store(inner, "keyStore", resolve), _store(inner, "trustStore", resolve)
    if not own.filename:
        raise _inside(inner, "keyStore", "filename").fault("is missing")
    certificate = inner.table_at("certificate", "certificate")
    alias = certificate.scalar("alias", lambda s: string(s).strip(), "") if certificate else ""
    if not alias and own.form != PEM:
        raise _inside(inner, "certificate", "alias").fault("is missing; only files of type PEM need none")
    mutual = inner.scalar("mutualTLS", boolean, False)
    if mutual and not trust.filename:
        raise _inside(inner, "trustStore", "filename").fault("is missing, which mutualTLS wants")
    ciphers, versions, notes = _spoken(inner, servable)
    own = Store(own.filename, own.password, own.form, alias)
    return Encryption(trust if mutual else NOWHERE, own, versions, ciphers, mutual), notes


def _inside(ssl: Keys, key: str, inner: str) -> Place:
    place = ssl.place(key)
    return Place(f"{place.path}.{inner}", place.line)


def _written(scalar: Scalar) -> str:
    return scalar.text


def _store(ssl: Keys, key: str, resolve: Resolve) -> Store:
    entry = ssl.table_at(key, key)
    if entry is None:
        return NOWHERE
    password = entry.scalar("password", resolve, "")
    return Store(entry.text("filename"), password, entry.scalar("type", _form, ""))


def _form(scalar: Scalar) -> str:
    found = string(scalar).strip().upper()
    if found not in FORMS:
        raise ValueError(f"{found[:20]} is not offered; want {', '.join(FORMS)}")
    return found


def _spoken(
    ssl: Keys, usable: Callable[[Suites], Suites] = lambda found: found
) -> tuple[Suites, tuple[str, ...], list[str]]:
    """Return ciphers, the versions that they leave of those that are wanted, and notes."""
    place = ssl.place("protocols")
    versions = tuple(_version(text, place) for text in _listed(ssl, "protocols", "versions"))
    names, place = _listed(ssl, "ciphers", "ciphers"), ssl.place("ciphers")
    if not names:
        return USUAL, versions, []
    try:
        told = suites(names)
        found = usable(told)
    except ValueError as error:
        raise place.fault(str(error)) from None
    fitting = zip(VERSIONS, (found.old, found.new), strict=True)
    left = tuple(version for version, some in fitting if some and version in (versions or VERSIONS))
    if not left:
        raise place.fault(f"none of them is of {' or '.join(versions)}")
    notes = ["those with DHE are not served; want such as have ECDHE"] if found != told else []
    if VERSIONS[1] in left and len({*found.new}) != len(NEW):
        notes.append("before Python 3.15 TLS 1.3 may use its other ciphers, too")
    return found, left, [f"line {place.line}: {place.path}: {note}" for note in notes]


def _listed(ssl: Keys, key: str, kind: str) -> list[str]:
    """Return the texts of a list or of one text with commas."""
    found = ssl.get(key)
    items = found.items if isinstance(found, Listing) else () if found is None else (found,)
    if any(isinstance(item, Listing | Table) for item in items):
        raise ssl.place(key).fault(f"want a list of {kind}")
    texts = [part.strip() for item in items if isinstance(item, Scalar) for part in item.text.split(",")]
    return [text for text in texts if text]


def _version(text: str, place: Place) -> str:
    if text not in VERSIONS:
        raise place.fault(f"{text[:20]} is not offered; want {' or '.join(VERSIONS)}")
    return text
