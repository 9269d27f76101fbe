"""TLS to a JVM, as Java does it: the certificate must be of a known authority; its name is not compared."""

from __future__ import annotations

import ssl

from podmates_metrics.jmx_exporter.encryption import Encryption
from podmates_metrics.keystores.loading import load_own, load_trust
from podmates_metrics.tree import Fault


def context(encryption: Encryption) -> ssl.SSLContext:
    """Return how to speak TLS.

    Raises:
        Fault: a file cannot be used.
    """
    made = ssl.create_default_context()
    made.check_hostname = False
    _fill(made, encryption, "ssl")
    return made


def _fill(made: ssl.SSLContext, encryption: Encryption, key: str) -> None:
    # Java knows no such strictness (certificates of keytool have not what it wants), and trusts whatever
    # stands in a trust store, also where it is no authority. Newer Pythons are strict unless told.
    made.verify_flags = made.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if encryption.versions:
        made.minimum_version = _version(min(encryption.versions))
        made.maximum_version = _version(max(encryption.versions))
    suites = encryption.suites
    if suites.old:
        made.set_ciphers(":".join(suites.old))
    if suites.new and hasattr(made, "set_ciphersuites"):  # from Python 3.15 on
        made.set_ciphersuites(":".join(suites.new))
    for store, name, load in (
        (encryption.trust, "trustStore", load_trust),
        (encryption.own, "keyStore", load_own),
    ):
        if store.filename:
            try:
                load(made, store)
            except Fault as error:
                raise Fault(f"{key}.{name}: {error}") from None


def _version(name: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[name.replace(".", "_")]
