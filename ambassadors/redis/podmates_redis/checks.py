"""What no single setting can tell."""

from __future__ import annotations

from podmates_common.errors import ConfigError
from podmates_redis.servers.reaching import TLS, wanted
from podmates_redis.servers.tls import Tls
from podmates_redis.session.logins import parsed
from podmates_redis.settings import Settings


def checked(settings: Settings) -> None:
    """Refuse what no single setting can tell.

    Raises:
        ConfigError: every fault.
    """
    problems = []
    given = [flag for flag in ("servers", "sentinels", "dns", "cluster") if getattr(settings, flag)]
    if not given:
        problems.append(
            "--servers: required: master and replicas, or --sentinels, --dns or --cluster instead"
        )
    problems += [f"--{flag}: not together with --{given[0]}" for flag in given[1:]]
    if settings.sentinels and not settings.sentinel_master:
        problems.append("--sentinel-master: required with --sentinels: the name of the master")
    problems += [*_tls(settings), *_logins(settings)]
    if problems:
        raise ConfigError(problems)


def _logins(settings: Settings) -> list[str]:
    """Return what is wrong with how clients log in; never what a secret holds."""
    given, problems = settings.logins.reveal(), []
    try:
        found = parsed(given)
    except ValueError as error:
        return [f"PODMATES_REDIS_LOGINS: {error}"]
    if settings.auth == "local" and not found:
        problems.append("PODMATES_REDIS_LOGINS: required with --auth local: who may log in")
    if settings.auth != "local" and found:
        problems.append("PODMATES_REDIS_LOGINS: only with --auth local")
    if settings.auth != "fixed" and settings.accept_any_auth:
        problems.append("--accept-any-auth: only with --auth fixed")
    return problems


def _tls(settings: Settings) -> list[str]:
    """Return what is wrong with the files of TLS, and which settings of it would be ignored."""
    problems = []
    for prefix in ("", "sentinel_"):
        flag = "--" + f"{prefix}tls".replace("_", "-")
        if not getattr(settings, f"{prefix}tls"):
            given = [name for name in TLS if getattr(settings, f"{prefix}tls_{name}") not in ("", "full")]
            problems += [f"{flag}-{name.replace('_', '-')}: only with {flag}" for name in given]
            continue
        if getattr(settings, f"{prefix}tls_key_file") and not getattr(settings, f"{prefix}tls_cert_file"):
            problems.append(f"{flag}-key-file: only with {flag}-cert-file")
        try:
            Tls(wanted(settings, prefix)).context()
        except OSError as error:
            problems.append(f"{flag}: {error.strerror or error}")
    return problems
