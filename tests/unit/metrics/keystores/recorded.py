"""Stores in data/, made by keytool of OpenJDK 17 and openssl 3.0; all names and keys are for tests alone."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from podmates_metrics.keystores import jks, pkcs12
from podmates_metrics.keystores.entries import Contents
from podmates_metrics.keystores.passwords import Decrypt

DATA = Path(__file__).parent / "data"


def decrypted(cipher: str, key: bytes, start: bytes, data: bytes) -> bytes:
    """Return what CBC hid."""
    algorithm = algorithms.AES(key) if cipher == "aes" else TripleDES(key)
    made = Cipher(algorithm, modes.CBC(start)).decryptor()
    return made.update(data) + made.finalize()


def read(data: bytes, password: str, decrypt: Decrypt = decrypted) -> Contents:
    """Return what is in a store of Java's."""
    if data.startswith(jks.MAGIC):
        return jks.read(data, password)
    return pkcs12.read(data, password, decrypt)


def opened(name: str, password: str, decrypt: Decrypt = decrypted) -> Contents:
    """Return what is in the store called *name*."""
    return read((DATA / name).read_bytes(), password, decrypt)


def subject(der: bytes) -> str:
    """Return the one name that a certificate has."""
    [found] = x509.load_der_x509_certificate(der).subject
    return str(found.value)
