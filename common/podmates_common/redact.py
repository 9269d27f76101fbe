"""Secrets, and keeping them out of everything that is written for people to read."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from podmates_common.files import read_small

MASK = "***"
_LEAST = 4  # characters: a shorter secret is in any text by chance, and what is masked would tell it
# user:password@ or token@ in front of a host, in any scheme; bounded, so that it stays linear.
_CREDENTIALS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/@'\"]{1,4096}@")


class Secret:
    """A text that shows itself to nobody who does not ask for it by name.

    One that came from a file is read again when the file changed, so that a rotated password
    (a projected volume swaps a link) is used at the next connection without a restart.
    """

    def __init__(self, value: str = "", path: Path | None = None) -> None:
        self._value = value
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    @classmethod
    def from_file(cls, path: Path) -> Secret:
        """Return the secret that *path* holds, without the newline at its end.

        Raises:
            OSError: the file cannot be read now. Later, an unreadable file keeps the value read last.
        """
        secret = cls(path=path)
        secret._read()
        return secret

    def reveal(self) -> str:
        """Return the text itself."""
        if self._path is not None:
            try:
                self._read()
            except (OSError, ValueError):
                return self._value  # in the middle of a swap: the old one until there is a new one
        return self._value

    def _read(self) -> None:
        assert self._path is not None  # noqa: S101  (for the type checker: both callers looked)
        status = self._path.stat()
        identity = (status.st_ino, status.st_mtime_ns, status.st_size)
        if identity == self._seen:
            return
        self._value, self._seen = read_small(self._path).decode().rstrip("\r\n"), identity

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


class Redactor:
    """Masks each secret of four characters or more that it was told about, and the credentials in any URL."""

    def __init__(self) -> None:
        self._secrets: list[Secret] = []
        self._lock = threading.Lock()

    def add(self, secret: Secret | str) -> None:
        """Mask *secret* from now on, also after it was rotated."""
        with self._lock:
            self._secrets = [*self._secrets, Secret(secret) if isinstance(secret, str) else secret]

    def forget(self, secret: Secret) -> None:
        """Mask *secret* no more: the very object that was added."""
        with self._lock:
            self._secrets = [other for other in self._secrets if other is not secret]

    def clean(self, text: str) -> str:
        """Return *text* with every known secret and every ``user:password@`` replaced."""
        if "://" in text:
            text = _CREDENTIALS.sub(rf"\1{MASK}@", text)
        for secret in self._secrets:
            value = secret.reveal()
            if len(value) >= _LEAST and value in text:
                text = text.replace(value, MASK)
        return text
