"""Files that the web configuration names, put together to what connections are encrypted with."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

from podmates_common.files import check_readable
from podmates_metrics.tree import Fault
from podmates_metrics.webconfig import Tls, WebConfig, decode


def read(path: str) -> WebConfig:
    """Return the web configuration in the file at *path*; its files are named from there.

    Raises:
        Fault: it cannot be read, or is wrong, or names files that cannot be used.
    """
    config = named(path)
    try:
        if config.tls is not None:
            context(config.tls)
    except Fault as error:
        raise Fault(f"{path}: {error}") from None
    return config


def named(path: str) -> WebConfig:
    """Return the same without a look at the files that it names.

    Raises:
        Fault: it cannot be read, or is wrong.
    """
    from podmates_metrics.documents import load

    tree = load(path)
    try:
        config = decode(tree)
    except Fault as error:
        raise Fault(f"{path}: {error}") from None
    if config.tls is None:
        return config
    here, tls = Path(path).parent, config.tls
    own = replace(
        tls,
        certificate=str(here / tls.certificate),
        key=str(here / tls.key),
        authority=str(here / tls.authority) if tls.authority else "",
    )
    return replace(config, tls=own)


def context(tls: Tls) -> ssl.SSLContext:
    """Return what connections are encrypted with.

    Raises:
        Fault: a file cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion[tls.oldest]
    made.maximum_version = ssl.TLSVersion[tls.newest]
    if tls.suites:
        made.set_ciphers(tls.suites)
    load_certificate(made, tls)
    if tls.authority:
        made.verify_mode = ssl.CERT_REQUIRED if tls.clients == "required" else ssl.CERT_OPTIONAL
        try:
            check_readable(tls.authority)
            made.load_verify_locations(tls.authority)
        except OSError as error:
            raise Fault(f"client_ca_file {tls.authority}: {error.strerror or error}") from None
    return made


def load_certificate(context: ssl.SSLContext, tls: Tls) -> None:
    """Use the certificate of *tls* for the connections to come; raises what `context` does."""
    try:
        for path in (tls.certificate, tls.key):
            check_readable(path)
        # An encrypted key would have OpenSSL ask the terminal.
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Fault(f"cert_file {tls.certificate}, key_file {tls.key}: {reason}") from None
