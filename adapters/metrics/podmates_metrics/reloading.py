"""Configuration read again: when a file changes, on SIGHUP, on request. A wrong one changes nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from podmates_common.watching import Watched
from podmates_metrics.statsd.engine import Totals
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)
LOOK = 1.0  # seconds between two looks at the files; a file counts once it has stood still for as long
Watching = dict[str, Watched]  # by path


class Unread(Fault):
    """A configuration cannot be used. *watching*: the files that it names as far as it was read."""

    def __init__(self, text: str, watching: Watching) -> None:
        super().__init__(text)
        self.watching = watching


class Taken(NamedTuple):
    """A configuration that was read and is in force now."""

    watching: Watching  # made before its files were read
    fields: Mapping[str, object]  # what the log says about it


class Reloading:
    """Takes configurations up, one at a time, and remembers how that went.

    Args:
        watching: the files of the configuration in force; none: there is nothing to read again.
        take: reads them and puts what they say in force; raises Fault, with nothing changed, if it cannot.
        look: whether a file is looked at; a change of others counts only on request.
        outcomes: where successes and failures are counted.
    """

    def __init__(
        self,
        watching: Watching,
        take: Callable[[], Awaitable[Taken]],
        *,
        look: Callable[[str], bool],
        outcomes: Counter[str] | None = None,
    ) -> None:
        self._watching, self._take, self._look = watching, take, look
        self.outcomes: Counter[str] = Counter() if outcomes is None else outcomes
        self._asked = asyncio.Event()
        self._turn = asyncio.Lock()
        self._good, self._succeeded = True, time.time()

    def ask(self) -> None:
        """Have it done soon: for a signal."""
        self._asked.set()

    async def run(self) -> None:
        """Do what is asked for, and look at the files; until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK if any(map(self._look, self._watching)) else None):
                    await self._asked.wait()
            # Every file is looked at: one that was not would be found changed at the next look.
            changed = [path for path, file in self._watching.items() if self._look(path) and file.changed()]
            if self._asked.is_set():
                self._asked.clear()
                await self.reload("asked by a signal")
            elif changed:
                await self.reload(f"{changed[0]} has changed")

    async def reload(self, why: str = "asked by a request") -> str:
        """Read everything again; return why it stays as it was, empty when it does not."""
        async with self._turn:
            if not self._watching:
                log.warning("reload asked for, but there is no configuration file")
                return "there is no configuration file"
            before = {path: Watched(path) for path in self._watching}  # as they are when they are read
            try:
                taken = await self._take()
            except Exception as error:
                if not isinstance(error, Fault):  # a fault of ours must not end the looking
                    log.exception("internal error")
                named = error.watching if isinstance(error, Unread) else {}
                # What is wrong may be put right in a file that was not named before.
                self._watching, self._good = named | before, False
                self.outcomes["failure"] += 1
                log.error("configuration not loaded, the old one stays: %s", error)
                return str(error) or repr(error)
            self._watching = taken.watching
            self._good, self._succeeded = True, time.time()
            self.outcomes["success"] += 1
            log.info("configuration loaded", extra={"fields": {"why": why, **taken.fields}})
            return ""

    def totals(self) -> Totals:
        """Return the self metrics about it; none without a file."""
        if not self._watching:
            return {}
        return {
            "podmates_config_last_reload_successful": {(): float(self._good)},
            "podmates_config_last_reload_success_timestamp_seconds": {(): self._succeeded},
        }
