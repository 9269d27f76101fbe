"""Stores of Java for a test, made by keytool and openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.certificates import Authority, Certificate
from tests.support.programs import need

PASSWORD = "letMeIn42"
LEGACY = ("-J-Dkeystore.pkcs12.legacy=true",)  # ciphers of JDKs before 8u301 and 11.0.12


def trust_store(path: Path, *authorities: Authority, form: str = "PKCS12", more: Sequence[str] = ()) -> Path:
    """Return *path*, a store that has the certificates of *authorities*; *more* is said to keytool."""
    for count, authority in enumerate(authorities):
        where = ("-keystore", str(path), "-storetype", form, "-storepass", PASSWORD)
        _keytool("-importcert", "-noprompt", "-alias", f"ca{count}", *where, "-file", authority.file, *more)
    return path


def key_store(
    path: Path, *, form: str = "PKCS12", more: Sequence[str] = (), **certificates: Certificate
) -> Path:
    """Return *path*, a store that has *certificates* by their aliases; *more* is said to keytool."""
    for alias, certificate in certificates.items():
        single = path.with_suffix(f".{alias}")
        files = ("-in", certificate.file, "-inkey", certificate.key, "-name", alias, "-out", single)
        _run(need("openssl", "openssl"), "pkcs12", "-export", *files, "-passout", f"pass:{PASSWORD}")
        source = ("-srckeystore", str(single), "-srcstoretype", "PKCS12", "-srcstorepass", PASSWORD)
        target = ("-destkeystore", str(path), "-deststoretype", form, "-deststorepass", PASSWORD)
        _keytool("-importkeystore", "-noprompt", *source, *target, *more)
    return path


def _keytool(*words: str | Path) -> None:
    small = ("-J-Xmx64m", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC")
    _run(need("keytool", "default-jre-headless"), *words, *small)


def _run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=60)
