"""TLS as a jmx_exporter file has it: to a JVM, and of the web port of the standalone exporter."""

from __future__ import annotations

import ssl

from podmates_metrics.jmx_exporter.encryption import Encryption
from podmates_metrics.jmx_exporter.suites import Suites
from podmates_metrics.keystores.loading import load_own, load_trust
from podmates_metrics.tree import Fault


def context(encryption: Encryption) -> ssl.SSLContext:
    """Return how to speak TLS to a JVM, as Java does: of a known authority, whatever the certificate's name.

    Raises:
        Fault: a file cannot be used.
    """
    made = ssl.create_default_context()
    made.check_hostname = False
    _fill(made, encryption, "ssl")
    return made


def served(encryption: Encryption) -> ssl.SSLContext:
    """Return what connections to the web port are encrypted with; raises what `context` does."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if encryption.mutual:
        made.verify_mode = ssl.CERT_REQUIRED
    _fill(made, encryption, "httpServer.ssl")
    return made


def _fill(made: ssl.SSLContext, encryption: Encryption, key: str) -> None:
    # Java knows no such strictness (certificates of keytool have not what it wants), and trusts whatever
    # stands in a trust store, also where it is no authority. Newer Pythons are strict unless told.
    made.verify_flags = made.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if encryption.versions:
        made.minimum_version = _version(min(encryption.versions))
        made.maximum_version = _version(max(encryption.versions))
    try:
        _narrow(made, encryption.suites)
    except ssl.SSLError:
        raise Fault(f"{key}.ciphers: this system's OpenSSL lets none of them be used") from None
    for store, name, load in (
        (encryption.trust, "trustStore", load_trust),
        (encryption.own, "keyStore", load_own),
    ):
        if store.filename:
            try:
                load(made, store)
            except Fault as error:
                raise Fault(f"{key}.{name}: {error}") from None


def _narrow(made: ssl.SSLContext, suites: Suites) -> None:
    if suites.old:
        made.set_ciphers(":".join(suites.old))
    if suites.new and hasattr(made, "set_ciphersuites"):  # from Python 3.15 on
        made.set_ciphersuites(":".join(suites.new))


def _version(name: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[name.replace(".", "_")]
