"""Stores put into what speaks TLS; keys never lie in a file that anybody could open."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import TypeVar

from podmates_common.files import LARGEST, TooLarge, read_small
from podmates_metrics.keystores import jks
from podmates_metrics.keystores.entries import Contents, anchors, chosen
from podmates_metrics.keystores.store import JKS, PEM, Store, form
from podmates_metrics.tree import Fault

T = TypeVar("T")


def load_own(context: ssl.SSLContext, store: Store) -> None:
    """Show the certificate of *store* from now on.

    Raises:
        Fault: it cannot be used; with the file.
    """
    data, found = _read(store)
    pem = data if found == PEM else _said(store, lambda: chosen(_contents(data, found, store), store.alias))
    _said(store, lambda: _as_file(pem, lambda path: context.load_cert_chain(path, password=store.password)))


def load_trust(context: ssl.SSLContext, store: Store) -> None:
    """Believe in the certificates of *store*, too; raises what `load_own` does."""
    data, found = _read(store)
    if found == PEM:
        _said(store, lambda: _as_file(data, context.load_verify_locations))
    else:
        trusted = _said(store, lambda: b"".join(anchors(_contents(data, found, store))))
        _said(store, lambda: context.load_verify_locations(cadata=trusted))


def _read(store: Store) -> tuple[bytes, str]:
    def read() -> tuple[bytes, str]:
        data = read_small(store.filename, LARGEST)
        return data, form(data, store.form)

    return _said(store, read)


def _contents(data: bytes, found: str, store: Store) -> Contents:
    if found == JKS:
        return jks.read(data, store.password)
    from podmates_metrics.keystores import pkcs12  # late: few have such a store

    return pkcs12.read(data, store.password, _decrypted)


def _decrypted(cipher: str, key: bytes, start: bytes, data: bytes) -> bytes:
    # Late: they take 10 MB. 3DES is what older JDKs have.
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if cipher == "aes":
        made = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor()
    else:
        made = Cipher(TripleDES((key + key[:8])[:24]), modes.CBC(start)).decryptor()
    return made.update(data) + made.finalize()


def _as_file(data: bytes, load: Callable[[str], None]) -> None:
    """Have *load* read *data* from a path, which OpenSSL wants: one of memory, that ends with it."""
    with os.fdopen(os.memfd_create("store"), "wb") as file:
        file.write(data)
        file.flush()
        load(f"/proc/self/fd/{file.fileno()}")


def _said(store: Store, load: Callable[[], T]) -> T:
    """Return what *load* returns; whatever is wrong names the file, and nothing that is in it."""
    try:
        return load()
    except ssl.SSLError as error:
        if error.reason in (None, "NO_START_LINE", "NO_CERTIFICATE_OR_CRL_FOUND"):
            reason = "holds nothing in PEM"
        else:
            reason = error.reason.replace("_", " ").lower()
    except (TooLarge, Fault) as error:
        reason = str(error)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be used"
    raise Fault(f"{store.filename}: {reason}") from None
