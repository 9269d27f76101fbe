"""The stores of the web port: read again when one of them changes."""

from __future__ import annotations

import logging
from functools import partial

from podmates_common.watching import Watched
from podmates_metrics.background import aside
from podmates_metrics.jmx_exporter.encryption import Encryption
from podmates_metrics.jmx_exporter.tls import served
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)


class Serving:
    """What connections to come are encrypted with, as `context`.

    Raises:
        Fault: a store cannot be used.
    """

    def __init__(self, encryption: Encryption) -> None:
        self._encryption = encryption
        names = (encryption.own.filename, encryption.trust.filename)
        self._watched = [Watched(name) for name in names if name]
        self._due = False  # there was a change that could not be looked at yet
        self.context = served(encryption)

    async def look(self) -> None:
        """Take up stores that have changed; what cannot be used leaves the old ones."""
        changes = [watched.changed() for watched in self._watched]
        self._due = self._due or any(changes)
        if not self._due:
            return
        try:
            # Aside, as the many rounds for a password take their time.
            self.context = await aside(partial(served, self._encryption), "stores")
        except Fault as error:
            self._due = False
            log.error("stores not loaded, the old ones stay: %s", error)
        else:
            self._due = False
            log.info("stores loaded", extra={"fields": {"keyStore": self._encryption.own.filename}})
