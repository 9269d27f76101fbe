"""Passwords, handed to git's own credential machinery anew for each sync: never on a command line."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from podmates_common.redact import Redactor, Secret
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.git.urls import bare
from podmates_gitsync.settings import Settings

_SOCKET = "socket"
_PATIENCE = 1.0  # seconds for the daemon to end


@dataclass(frozen=True, slots=True)
class Credential:
    """A pair for a URL; the password is read when it is needed, so that a rotated file counts."""

    url: str
    user: str
    password: Secret | Path

    def reveal(self) -> str:
        """Return the password; one newline at the end of a file does not belong to it.

        Raises:
            OSError: the file cannot be read.
        """
        if isinstance(self.password, Secret):
            return self.password.reveal()
        return self.password.read_text().removesuffix("\n")


def gather(settings: Settings) -> list[Credential]:
    """Return what the settings know: a user with a password or its file, else those in the URL."""
    parts = bare(settings.repo)
    if settings.username:
        word = Path(settings.password_file) if settings.password_file else settings.password
        return [Credential(parts.url, settings.username, word)]
    if parts.user:  # an empty user name with a password drops both, as in the original
        return [Credential(parts.url, parts.user, Secret(parts.password or ""))]
    return []


class Store:
    """git's credential cache, with a socket of our own."""

    def __init__(self, credentials: Sequence[Credential], redactor: Redactor, root: Path) -> None:
        self._credentials, self._redactor = credentials, redactor
        self._masked: set[str] = set()
        self._folder = _private_folder(root) if credentials else None

    @property
    def helper(self) -> str:
        """The value for `credential.helper`."""
        return "cache --timeout 3600" + (f" --socket '{self._folder}/{_SOCKET}'" if self._folder else "")

    def approve(self, git: Git) -> None:
        """Give every pair to git again: a rejected one was dropped, a file may have changed.

        Raises:
            GitError: a password cannot be read, or git does not take it.
        """
        for credential in self._credentials:
            try:
                password = credential.reveal()
            except (OSError, ValueError) as error:
                raise GitError(f"cannot read the password: {error}") from None
            self._mask(password)
            lines = [f"url={credential.url}", f"username={credential.user}", f"password={password}"]
            if any("\n" in line or "\0" in line for line in lines):
                raise GitError("a user name or password has a line break in it, which git cannot take")
            git.run(["credential", "approve"], Path("/"), locked=False, input="\n".join([*lines, "", ""]))

    def _mask(self, password: str) -> None:
        if password not in self._masked:
            self._masked.add(password)
            self._redactor.add(password)

    def close(self) -> None:
        """End the cache's daemon and forget everything; harmless when there is none."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                _end_daemon(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)


def _end_daemon(folder: Path) -> None:
    """Say over the socket what `git credential-cache exit` says, without starting a program for it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE)
            # By the descriptor, because the name of a socket may have 107 bytes only.
            connection.connect(f"/proc/self/fd/{descriptor}/{_SOCKET}")
            connection.sendall(b"action=exit\ntimeout=0\n")
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
    finally:
        os.close(descriptor)


def _private_folder(root: Path) -> Path:
    """Return a new directory for us only: in the temporary one, else below root."""
    try:
        return Path(tempfile.mkdtemp(prefix="git-sync.credential."))
    except OSError:
        folder = root / ".git" / "podmates"
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="credential.", dir=folder))
