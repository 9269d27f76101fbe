"""What no single setting can tell."""

from __future__ import annotations

from podmates_common.errors import ConfigError
from podmates_redis.settings import Settings


def checked(settings: Settings) -> None:
    """Refuse what no single setting can tell.

    Raises:
        ConfigError: every fault.
    """
    problems = []
    if not settings.servers and not settings.sentinels:
        problems.append("--servers: required: the master and its replicas, or --sentinels instead")
    if settings.servers and settings.sentinels:
        problems.append("--sentinels: not together with --servers")
    if settings.sentinels and not settings.sentinel_master:
        problems.append("--sentinel-master: required with --sentinels: the name of the master")
    if problems:
        raise ConfigError(problems)
