"""Authorities and certificates for a test, made by openssl: with a name, an address, an end of life."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.programs import need


def _openssl(*words: str | Path) -> None:
    subprocess.run([need("openssl", "openssl"), *words], check=True, capture_output=True, timeout=60)


class Authority:
    """One that signs; its own certificate is `file`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, name
        self.file, self._key = folder / f"{name}.pem", folder / f"{name}.key"
        subject = ("-subj", f"/CN={name}", "-days", "2")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        _openssl("req", "-x509", *curve, *subject, "-keyout", self._key, "-out", self.file)

    def issue(
        self, name: str, *, names: str = "DNS:localhost,IP:127.0.0.1", expired: bool = False
    ) -> Certificate:
        """Return a certificate for *names*."""
        stem = self._folder / f"{self._name}-{name}"
        found = Certificate(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        request, extra = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        extra.write_text(f"subjectAltName={names}\n")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        _openssl("req", *curve, "-subj", f"/CN={name}", "-keyout", found.key, "-out", request)
        if expired:
            self._past(request, extra, found.file)
            return found
        serial = ("-set_serial", str(int.from_bytes(os.urandom(8), "big")))
        signer = ("-CA", self.file, "-CAkey", self._key, *serial, "-days", "2")
        _openssl("x509", "-req", "-in", request, *signer, "-extfile", extra, "-out", found.file)
        return found

    def _past(self, request: Path, extra: Path, out: Path) -> None:
        """Sign with dates of the past, which only `openssl ca` can in Debian 12."""
        index, serial = self._folder / "index", self._folder / "serial"
        index.write_text("")
        serial.write_text("01\n")
        config = self._folder / "ca.conf"
        config.write_text(
            f"[ca]\ndefault_ca=a\n[a]\ndatabase={index}\nserial={serial}\nnew_certs_dir={self._folder}\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
        )
        dates = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
        signer = ("-cert", self.file, "-keyfile", self._key)
        files = ("-config", config, "-extfile", extra, "-in", request, "-out", out)
        _openssl("ca", "-batch", *signer, *dates, *files)


class Certificate:
    """A certificate and its key."""

    def __init__(self, file: Path, key: Path) -> None:
        self.file, self.key = file, key

    def replace(self, other: Certificate) -> None:
        """Become *other* in place, as a renewal does: each file at once, one after the other."""
        for mine, theirs in ((self.file, other.file), (self.key, other.key)):
            fresh = mine.with_suffix(".new")
            fresh.write_bytes(theirs.read_bytes())
            fresh.rename(mine)
