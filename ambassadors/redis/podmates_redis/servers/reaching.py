"""Settings to ways of reaching servers and sentinels."""

from __future__ import annotations

import logging

from podmates_common.health import Health
from podmates_redis.servers.dialing import Dialer
from podmates_redis.servers.tls import Tls, Wanted
from podmates_redis.settings import Settings

log = logging.getLogger(__name__)

TLS = ("ca_file", "cert_file", "key_file", "server_name", "verify")


def wanted(settings: Settings, prefix: str = "") -> Wanted:
    """Return what the settings that begin with *prefix* say about TLS."""
    return Wanted(**{name: getattr(settings, f"{prefix}tls_{name}") for name in TLS})


def tls(settings: Settings, prefix: str = "") -> Tls | None:
    """Return how connections to servers (sentinels: ``sentinel_``) are encrypted, if at all."""
    return Tls(wanted(settings, prefix)) if getattr(settings, f"{prefix}tls") else None


def dialer(settings: Settings, prefix: str = "") -> Dialer:
    """Return how servers (or, with *prefix* ``sentinel_``, sentinels) are reached."""
    return Dialer(tls(settings, prefix), settings.address_map)


def loudly(settings: Settings, health: Health) -> None:
    """Say in the log and at /readyz when servers are believed without proof."""
    for prefix in ("", "sentinel_"):
        name = f"{prefix}tls".replace("_", "-")
        health.forget(name)
        if not getattr(settings, f"{prefix}tls") or getattr(settings, f"{prefix}tls_verify") != "none":
            continue
        problem = f"--{name}-verify none lets anybody on the way read and change everything"
        log.warning("%s: %s", name, problem)
        health.expect(name, within=float("inf"), critical=False)
        health.fail(name, problem)
