"""Passwords that the settings know: for the repository, and for further hosts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from podmates_common.files import TooLarge, read_small
from podmates_common.redact import Secret
from podmates_gitsync.git.commands import GitError
from podmates_gitsync.git.urls import bare
from podmates_gitsync.settings import Settings


class Pair(NamedTuple):
    """A user and a password, for every repository on the host of a URL."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A pair whose password is read when it is needed, so that a rotated file counts."""

    url: str
    user: str
    password: Secret | Path

    def pair(self) -> Pair:
        """Return it with the password of now.

        Raises:
            GitError: the file cannot be read.
        """
        if isinstance(self.password, Secret):
            return Pair(self.url, self.user, self.password.reveal())
        try:
            data = read_small(self.password)
        except OSError as error:
            raise GitError(f"cannot read the password: {error}") from None
        except TooLarge as error:
            raise GitError(f"cannot read the password: {self.password} is {error}") from None
        # Byte for byte but for the line's end; git reads up to an empty line.
        return Pair(self.url, self.user, data.decode("utf-8", "surrogateescape").rstrip("\n"))


def gather(settings: Settings) -> list[Credential]:
    """Return what the settings know, for the repository first: a user, else what is in the URL.

    Relative file names are made absolute here, so it is to be called in the user's working directory.
    """
    parts, found = bare(settings.repo), []
    if settings.username:
        found.append(
            Credential(parts.url, settings.username, _word(settings.password, settings.password_file))
        )
    elif parts.user:  # an empty user name with a password drops both, as in the original
        found.append(Credential(parts.url, parts.user, Secret(parts.password or "")))
    for use in settings.credential:
        for entry in use.entries:
            word = _word(Secret(entry.password), entry.password_file)
            found.append(Credential(entry.url, entry.username, word))
    return found


def _word(password: Secret, file: str) -> Secret | Path:
    return Path(os.path.abspath(file)) if file else password
