"""Other settings while the ambassador runs: no client is dropped, and what stands stays as it was made."""

from __future__ import annotations

from collections.abc import Collection

from podmates_common.health import Health
from podmates_common.logs import setup
from podmates_common.redact import Redactor
from podmates_redis.operating import finding
from podmates_redis.operating.gathering import Parts
from podmates_redis.operating.live import Live, overwrite
from podmates_redis.policies import manner, policy, rules
from podmates_redis.servers.reaching import loudly, tls
from podmates_redis.settings import Settings

# who is read; those who read by others' choice choose again
_CHOICE = frozenset(["read_from", "balance", "master_weight", "zone", "zones"])
_LINES = 5.0  # of a kind, a second
_LOG = frozenset(["log_format", "log_level"])


def set_up_log(settings: Settings, redactor: Redactor) -> None:
    """Have the log be as the settings say."""
    setup(form=settings.log_format, level=settings.log_level, redactor=redactor, rate=_LINES)


def take_up(parts: Parts, settings: Settings) -> None:
    """Tell those who keep a setting of their own, at the start and whenever it may be another."""
    for shared in (parts.shared, *parts.shared.kin):
        shared.home.share = settings.master_weight or 1.0
    parts.shared.slowlog.change(settings.slowlog_slower_than, settings.slowlog_max_len)
    parts.doorman.most = settings.max_clients
    parts.doorman.leases.most = settings.max_dedicated


class Applying:
    """Puts settings in force in *parts*; *live* is what everybody else looks at."""

    def __init__(self, parts: Parts, live: Live, health: Health, redactor: Redactor) -> None:
        self._parts, self._live, self._health, self._redactor = parts, live, health, redactor

    def apply(self, settings: Settings, changed: Collection[str]) -> None:
        """Put *settings* in force, of which those named by *changed* are others than before."""
        parts = self._parts
        self._live.take(settings)
        for shared in (parts.shared, *parts.shared.kin):
            shared.change(policy(settings))
        take_up(parts, settings)
        reading = rules(settings)
        overwrite(parts.rules.limits, reading.limits)  # which others hold
        overwrite(parts.rules, reading, but=["limits", "barred"])
        overwrite(parts.manner, manner(settings))
        parts.topology.master_wait = settings.master_wait
        parts.opener.limit = settings.connect_timeout
        ways = [name for name in changed if "tls" in name or name == "address_map"]
        if ways:
            parts.dialer.change(tls(settings), settings.address_map)
            parts.sentinel_dialer.change(tls(settings, "sentinel_"), settings.address_map)
            loudly(settings, self._health)
            if parts.commons is not None and not all(name.startswith("sentinel_") for name in ways):
                parts.commons.renew()
        if not finding.SETTINGS.isdisjoint(changed):
            parts.finding.start()
        if not _LOG.isdisjoint(changed):
            set_up_log(settings, self._redactor)
        if parts.commons is not None:
            parts.commons.change(settings)
        for client in list(parts.doorman.clients):
            client.heed(choose=not _CHOICE.isdisjoint(changed))
        parts.topology.suspect()
