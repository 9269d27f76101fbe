"""TLS to a JVM, as Java does it: the certificate must be of a known authority; its name is not compared."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from podmates_metrics.jmx_exporter.encryption import Encryption, Store
from podmates_metrics.tree import Fault


def context(encryption: Encryption) -> ssl.SSLContext:
    """Return how to speak TLS.

    Raises:
        Fault: a file cannot be used.
    """
    made = ssl.create_default_context()
    made.check_hostname = False
    # Java knows no such strictness (certificates of keytool have not what it wants), and trusts whatever
    # stands in a trust store, also where it is no authority. Newer Pythons are strict unless told.
    made.verify_flags = made.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if encryption.versions:
        made.minimum_version = _version(min(encryption.versions))
        made.maximum_version = _version(max(encryption.versions))
    if encryption.trust.filename:
        _load(encryption.trust, "trustStore", lambda store: made.load_verify_locations(store.filename))
    if encryption.own.filename:
        _load(
            encryption.own,
            "keyStore",
            lambda store: made.load_cert_chain(store.filename, password=store.password),
        )
    return made


def _version(name: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[name.replace(".", "_")]


def _load(store: Store, key: str, load: Callable[[Store], None]) -> None:
    try:
        load(store)
    except ssl.SSLError as error:
        if error.reason in (None, "NO_START_LINE", "NO_CERTIFICATE_OR_CRL_FOUND"):
            reason = "holds nothing in PEM"
        else:
            reason = error.reason.replace("_", " ").lower()
        raise Fault(f"ssl.{key}: {store.filename}: {reason}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be used"
        raise Fault(f"ssl.{key}: {store.filename}: {reason}") from None
