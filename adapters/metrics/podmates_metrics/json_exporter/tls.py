"""TLS towards targets, as `tls_config` says it; files are read anew for each probe, for they rotate."""

from __future__ import annotations

import os
import ssl
from functools import cache

from podmates_metrics.json_exporter.core.secrets import Hidden
from podmates_metrics.json_exporter.core.tlsconfig import Tls
from podmates_metrics.json_exporter.requests import Unsendable, reveal

_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


def _default(authorities: str | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cadata=authorities)
    # Go, with which the files were written, has not the strictness of newer Pythons, and trusts whatever
    # certificate it is told to, also where that is no authority.
    made.verify_flags = made.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return made


@cache
def _plain() -> ssl.SSLContext:
    return _default()


def context(tls: Tls | None) -> ssl.SSLContext:
    """Return what to speak TLS with; it blocks while files are read.

    Raises:
        Unsendable: a file cannot be read or used.
    """
    if tls is None:
        return _plain()
    made = _trusting(tls.ca)
    if tls.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if tls.least:
        made.minimum_version = _VERSIONS[tls.least]
    if tls.most:
        made.maximum_version = _VERSIONS[tls.most]
    if tls.cert:
        _own(made, tls)
    return made


def _trusting(ca: Hidden) -> ssl.SSLContext:
    if not ca:
        return _default()
    try:
        return _default(reveal(ca))
    except (ssl.SSLError, ValueError):
        raise Unsendable(f"unable to use the CA certificates of {ca.file or 'ca'}") from None


def _own(made: ssl.SSLContext, tls: Tls) -> None:
    """Load certificate and key; those within the configuration go through a file that has no name."""
    text = f"{reveal(tls.key)}\n{reveal(tls.cert)}\n"
    file = os.memfd_create("client", os.MFD_CLOEXEC)
    try:
        os.write(file, text.encode())
        made.load_cert_chain(f"/proc/self/fd/{file}", password="")
    except (ssl.SSLError, OSError, ValueError):
        where = f"{tls.cert.file or 'cert'} and {tls.key.file or 'key'}"
        raise Unsendable(f"unable to use the client certificate of {where}") from None
    finally:
        os.close(file)
