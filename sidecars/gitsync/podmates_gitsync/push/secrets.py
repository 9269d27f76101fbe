"""The secrets of the push receiver: several at a time, so that senders can be moved from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from podmates_common.redact import Redactor, Secret
from podmates_gitsync.errors import StartError


class PushSecrets:
    """What senders may prove that they know; files are read again when they changed.

    Raises:
        StartError: there is none, or a file of them cannot be used. A receiver is never open to everybody.
    """

    def __init__(self, given: Secret, files: Sequence[str], redactor: Redactor) -> None:
        self._secrets = [given] if given else []
        for name in files:
            try:
                secret = Secret.from_file(Path(name))
            except (OSError, ValueError) as error:
                raise StartError(f"cannot read --push-secret-file {name}: {error}") from None
            if not secret:
                raise StartError(f"--push-secret-file {name} is empty")
            self._secrets.append(secret)
        if not self._secrets:
            raise StartError("no secret for the push receiver")
        for secret in self._secrets:
            redactor.add(secret)

    def current(self) -> list[bytes]:
        """Return those of this moment; a file that became empty counts for nothing."""
        return [text.encode() for secret in self._secrets if (text := secret.reveal())]
