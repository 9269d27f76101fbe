"""The users that the ambassador keeps for its clients, read again when their file changes."""

from __future__ import annotations

import logging

from podmates_common.redact import Secret
from podmates_redis.session.logins import Logins, parsed

log = logging.getLogger(__name__)


class Keyring:
    """Gives what *secret* says now; one that makes no sense changes nothing."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._text = secret.reveal()
        self._logins: Logins = parsed(self._text)

    def __call__(self) -> Logins:
        text = self._secret.reveal()
        if text != self._text:
            self._text = text
            try:
                self._logins = parsed(text)
            except ValueError as error:
                log.warning("the logins of clients stay as they were: %s", error)
        return self._logins
