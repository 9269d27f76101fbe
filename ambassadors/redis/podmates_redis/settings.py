"""Configuration of the Redis ambassador."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_common.parse import Address, address, choice, duration, integer, listing, size, text
from podmates_common.redact import Secret
from podmates_common.settings import setting

PREFIX = "PODMATES_REDIS"


def endpoint(value: str) -> Address | str:
    """Return where to listen: ``host:port``, or the path in ``unix:/path``."""
    if not value.startswith("unix:"):
        return address(value)
    if not value.startswith("unix:/"):
        raise ValueError("want unix: and an absolute path")
    return value.removeprefix("unix:")


def _servers(value: str) -> tuple[Address, ...]:
    found = listing(address)(value)
    if any(not item.host or not item.port for item in found):
        raise ValueError("want host:port, with neither missing")
    return found


def _optional_address(value: str) -> Address | None:
    return address(value) if value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set, in the order in which help and README list it."""

    servers: tuple[Address, ...] = setting(
        "", _servers, "master and replicas, comma-separated; their roles are found by asking"
    )
    sentinels: tuple[Address, ...] = setting("", _servers, "sentinels to ask for the servers instead")
    sentinel_master: str = setting("", text, "name of the master that the sentinels watch")
    listen: tuple[Address | str, ...] = setting(
        "localhost:6379",
        endpoint,
        "where the application connects; repeatable; also unix:/path; port 0 means any",
        repeatable=True,
    )
    admin_listen: Address | None = setting(
        "127.0.0.1:9121", _optional_address, "where probes and metrics are answered; empty: nowhere"
    )
    consistency: str = setting(
        "session",
        choice("session", "own-writes", "bounded", "eventual", "strict"),
        "what a read is promised, see the README",
    )
    read_from: str = setting(
        "replica_preferred", choice("replica_preferred", "master"), "who answers reads that may be split"
    )
    max_lag_bytes: int = setting("16MiB", size, "a replica further behind takes no reads; 0B means any lag")
    master_wait: float = setting("2s", duration, "a command waits this long for a master, then fails")
    startup_wait: float = setting("30s", duration, "the same while no master was ever seen")
    drain_timeout: float = setting("25s", duration, "commands in flight may take this long after SIGTERM")
    admin_commands: str = setting(
        "deny", choice("deny", "allow"), "whether SHUTDOWN, CONFIG SET, DEBUG and their like pass"
    )
    auth: str = setting(
        "fixed",
        choice("fixed", "passthrough"),
        "fixed: log in to the servers with the credentials below; passthrough: with the client's own",
    )
    username: str = setting("", text, "user name for the servers, empty for the default user")
    password: Secret = setting("", text, "password for the servers", secret=True)
    max_clients: int = setting("10000", integer(1, 1_000_000), "clients at a time")
    max_request: int = setting("512MiB", size, "longest argument of a command")
    log_format: str = setting("text", choice("text", "json"), "form of the log")
    log_level: str = setting("info", choice("debug", "info", "warning", "error"), "least urgent line logged")
    config: str = setting("", text, "TOML file with any of these settings")
