"""Takes up changed settings, or says what is wrong with them and changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from podmates_common.errors import ConfigError
from podmates_common.health import Health
from podmates_common.reference import shown
from podmates_common.settings import Loaded
from podmates_redis.checks import checked
from podmates_redis.settings import Settings

log = logging.getLogger(__name__)

_NAME = "settings"  # at /readyz


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a reload: names of settings, or faults."""

    changed: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()  # changed as well, but not taken up
    problems: tuple[str, ...] = ()


class Reloading:
    """Reads the settings again by *again* and has *apply* put them in force.

    Attributes:
        loaded: what is in force.
        outcomes: how many reloads succeeded and failed.
    """

    def __init__(
        self,
        loaded: Loaded[Settings],
        again: Callable[[], Loaded[Settings]],
        apply: Callable[[Settings, Collection[str]], None],
        health: Health,
    ) -> None:
        self.loaded, self._again, self._apply, self._health = loaded, again, apply, health
        self.outcomes = Counter({"success": 0, "failure": 0})
        self._lock = asyncio.Lock()
        health.expect(_NAME, within=float("inf"), critical=False)
        health.ok(_NAME)

    async def reload(self, why: str) -> Outcome:
        """Take up what has changed; *why* is for the log."""
        async with self._lock:
            try:
                found = await asyncio.to_thread(self._again)  # it reads files
                return self._take(found, why)
            except ConfigError as error:
                return self._refuse(error.problems, why)

    def put(self, name: str, text: str) -> str:
        """Put in force what *text* says of the setting *name*, until the next reload; return it as shown.

        Raises:
            ValueError: it says nothing that makes sense.
        """
        row = next(row for row in self.loaded.rows if row.name == name)
        now = replace(self.loaded.settings, **{name: row.parse(text)})
        self.loaded = Loaded(now, {**self.loaded.origins, name: "the admin port"}, self.loaded.rows)
        self._apply(now, [name])
        return shown(now, row)

    def _take(self, found: Loaded[Settings], why: str) -> Outcome:
        before, rows = self.loaded.settings, found.rows
        # a secret follows its file by itself, and where it comes from cannot change while the process runs
        kept = {row.name for row in rows if row.secret}
        names = [r.name for r in rows if r.name not in kept and _differs(before, found.settings, r.name)]
        restart = [row.name for row in rows if row.restart and row.name in names]
        changed = [name for name in names if name not in restart]
        kept.update(restart)
        now = replace(found.settings, **{name: getattr(before, name) for name in kept})
        if restart:
            checked(now)  # what was right as a whole need not be right in part
        origins = {n: (self.loaded if n in kept else found).origins[n] for n in found.origins}
        self.loaded = Loaded(now, origins, rows)
        self._apply(now, changed)
        self.outcomes["success"] += 1
        self._health.ok(_NAME)
        shown = {"changed": ",".join(changed) or "nothing"} | (
            {"restart": ",".join(restart)} if restart else {}
        )
        log.info("settings reloaded: %s", why, extra={"fields": shown})
        return Outcome(tuple(changed), tuple(restart))

    def _refuse(self, problems: Collection[str], why: str) -> Outcome:
        self.outcomes["failure"] += 1
        told = "; ".join(problems)
        self._health.fail(_NAME, f"cannot be reloaded, those before stay in force: {told}")
        log.error("settings stay as they were: %s: %s", why, told)
        return Outcome(problems=tuple(problems))


def _differs(before: Settings, now: Settings, name: str) -> bool:
    return bool(getattr(before, name) != getattr(now, name))
