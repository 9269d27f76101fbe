"""Configuration of the Redis ambassador."""

from __future__ import annotations

import re
from dataclasses import dataclass

from podmates_common.parse import Address, address, boolean, choice, duration, integer, listing, size, text
from podmates_common.redact import Secret
from podmates_common.settings import setting
from podmates_redis.commands.overrides import route
from podmates_redis.servers.choosing import Zone, zone_rule
from podmates_redis.servers.mapping import Rule, rule

_VERIFY = choice("full", "ca", "none")
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


def _name(value: str) -> Address:
    if not re.fullmatch(r"_[A-Za-z0-9-]+\._tcp(\.[A-Za-z0-9_-]{1,63})+\.?", value):
        return _servers(value)[0]
    return Address(value, 0)


def _share(value: str) -> float:
    if not re.fullmatch(r"0|1|0\.[0-9]{1,6}|1\.0{1,6}", value):
        raise ValueError("want a number from 0 to 1")
    return float(value)


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
    dns: tuple[Address, ...] = setting(
        "",
        listing(_name),
        "names to resolve again and again for the servers instead, comma-separated: host:port, or of a "
        "service, _redis._tcp.name, whose SRV records tell hosts and ports",
    )
    cluster: tuple[Address, ...] = setting(
        "",
        _servers,
        "nodes of a Redis Cluster instead; one that answers is enough to begin with",
        restart=True,
    )
    dns_stale: float = setting("60s", duration, "what a name stood for is believed so long without an answer")
    learn_replicas: bool = setting(
        "false", boolean, "also read the replicas that the master names, with --servers", switch=True
    )
    split_brain: str = setting(
        "prefer",
        choice("prefer", "refuse"),
        "of two masters prefer the one that replicas follow, or write to none",
    )
    listen: tuple[Address | str, ...] = setting(
        "localhost:6379",
        endpoint,
        "where the application connects; repeatable; also unix:/path; port 0 means any",
        repeatable=True,
        restart=True,
    )
    admin_listen: Address | None = setting(
        "127.0.0.1:9121",
        _optional_address,
        "where probes and metrics are answered; empty: nowhere",
        restart=True,
    )
    admin_token: Secret = setting(
        "",
        text,
        "who changes something at the admin port has to say it: Authorization: Bearer …; empty: nobody does",
        secret=True,
    )
    consistency: str = setting(
        "session",
        choice("session", "own-writes", "bounded", "eventual", "strict"),
        "what a read is promised, see the README",
    )
    read_from: str = setting(
        "replica_preferred",
        choice("master", "master_preferred", "replica", "replica_preferred", "any", "nearest"),
        "who answers reads that may be split, see the README",
    )
    balance: str = setting(
        "least",
        choice("least", "round_robin", "random"),
        "which server a client that begins to read gets: the one with the fewest clients, each in turn, any",
    )
    master_weight: float = setting(
        "1",
        _share,
        "the master's share of readers with --read-from any and nearest, 0 to 1, a replica's is 1",
    )
    zone: str = setting("", text, "zone of this pod; servers in it are read first")
    zones: tuple[Zone, ...] = setting(
        "",
        listing(zone_rule),
        "zones of servers by host: 10.0.1.*=a,*.b.example=b; else as Valkey says",
    )
    max_lag_bytes: int = setting("16MiB", size, "a replica further behind takes no reads; 0B means any lag")
    max_lag: float = setting("0s", duration, "the same in time; 0s means any lag")
    min_healthy: int = setting(
        "1", integer(1, 1000), "with fewer replicas than that the others are spared: --fallback"
    )
    fallback: str = setting(
        "master",
        choice("master", "error", "stale"),
        "what answers reads without a usable replica: the master, an error, or replicas too far behind",
    )
    fallback_max_rps: int = setting(
        "0", integer(0, 10_000_000), "such reads a second that the master answers; 0 means any number"
    )
    stale_ok: float = setting("0s", duration, "without a master replicas are read for so long; 0s: for ever")
    max_age: float = setting(
        "0s", duration, "clients leave a replica after so long, so that load spreads again; 0s: never"
    )
    master_wait: float = setting("2s", duration, "a command waits this long for a master, then fails")
    switch_grace: float = setting(
        "1s", duration, "what is on its way to a master that is one no more may take so long"
    )
    startup_wait: float = setting("30s", duration, "the same while no master was ever seen")
    connect_timeout: float = setting(
        "1s", duration, "a connection to a server has to stand, be encrypted and greeted in this time"
    )
    failover_wait: float = setting(
        "5s",
        duration,
        "a command that a server refuses to run (READONLY, LOADING) is sent again for this long",
    )
    op_timeout: float = setting(
        "5s", duration, "time for a command, from its last byte in to its reply's last byte out; 0: any"
    )
    retries: int = setting(
        "2", integer(0, 100), "times a command that can run twice is sent again when its reply was lost"
    )
    on_unknown: str = setting(
        "close",
        choice("close", "error"),
        "whether the client of a command that may have run is closed, as by a server that dies, or told so",
    )
    blocking_failover: str = setting(
        "resume",
        choice("resume", "unblock"),
        "whether a wait (BLPOP) that a demoted master ends goes on at the next one, or its client is told",
    )
    client_idle_timeout: float = setting(
        "0", duration, "a client that does nothing for this long is closed; 0: never"
    )
    idle_transaction_timeout: float = setting(
        "60s",
        duration,
        "a transaction or a watch is let go when its client does nothing for this long; 0: never",
    )
    fail_fast: bool = setting(
        "false",
        boolean,
        "end with status 3 when there was no master in --startup-wait",
        switch=True,
        restart=True,
    )
    ready_without_master: bool = setting(
        "false", boolean, "/readyz is 200 without a master, too", switch=True, restart=True
    )
    drain_delay: float = setting(
        "0s", duration, "after SIGTERM the ambassador is unready and serves on for so long before it drains"
    )
    drain_timeout: float = setting("25s", duration, "commands in flight may take this long after SIGTERM")
    admin_commands: str = setting(
        "deny", choice("deny", "allow"), "whether SHUTDOWN, CONFIG SET, DEBUG and their like pass"
    )
    route: tuple[tuple[str, str], ...] = setting(
        "",
        listing(route),
        "where single commands go, whatever their master says: KEYS=deny,OBJECT|FREQ=replica,GET=master",
    )
    rewrite_ro: str = setting(
        "off",
        choice("off", "on"),
        "whether SORT, GEORADIUS, BITFIELD and GETEX that only read are sent as commands a replica takes",
    )
    ttl_reads: str = setting(
        "replica", choice("replica", "master"), "who tells how long a key lives on, by its own clock"
    )
    module_reads: str = setting(
        "off",
        choice("off", "on"),
        "whether reads of modules' commands are split; their data may differ by server",
    )
    script_cache: str = setting(
        "off", choice("off", "on"), "whether EVALSHA loads at the master a script that it has forgotten"
    )
    eval_no_writes: str = setting(
        "master",
        choice("master", "replica"),
        "where EVAL and EVALSHA run a script whose first line has flags=no-writes",
    )
    auth: str = setting(
        "fixed",
        choice("fixed", "local", "passthrough"),
        "fixed: log in to the servers with the credentials below; local: the same, and clients have to "
        "log in here; passthrough: log in with the client's own",
        restart=True,
    )
    accept_any_auth: bool = setting(
        "false", boolean, "with fixed: every login of a client is right", switch=True
    )
    logins: Secret = setting(
        "",
        text,
        "with local: the clients' logins, a line each, user:password or :password",
        secret=True,
    )
    username: str = setting("", text, "user name for the servers, empty for the default user")
    password: Secret = setting("", text, "password for the servers", secret=True)
    address_map: tuple[Rule, ...] = setting(
        "",
        listing(rule),
        "where announced addresses are reached: host:port=host:port, host=host or 10.1.*=172.16.*, "
        "comma-separated; TLS goes on to verify the announced name",
    )
    tls: bool = setting("false", boolean, "encrypt the connections to the servers", switch=True)
    tls_ca_file: str = setting("", text, "authorities that vouch for the servers, PEM; empty: the system's")
    tls_cert_file: str = setting("", text, "our certificate for the servers, PEM, if they want one")
    tls_key_file: str = setting("", text, "its key, PEM, if the certificate's file does not hold it")
    tls_server_name: str = setting("", text, "name that every server has to prove, instead of its host")
    tls_verify: str = setting(
        "full", _VERIFY, "what a server has to prove: full: who it is; ca: a known authority; none: nothing"
    )
    sentinel_username: str = setting("", text, "user name for the sentinels, empty for the default user")
    sentinel_password: Secret = setting("", text, "password for the sentinels", secret=True)
    sentinel_tls: bool = setting("false", boolean, "encrypt the connections to the sentinels", switch=True)
    sentinel_tls_ca_file: str = setting("", text, "as --tls-ca-file, for sentinels")
    sentinel_tls_cert_file: str = setting("", text, "as --tls-cert-file, for sentinels")
    sentinel_tls_key_file: str = setting("", text, "as --tls-key-file, for sentinels")
    sentinel_tls_server_name: str = setting("", text, "as --tls-server-name, for sentinels")
    sentinel_tls_verify: str = setting("full", _VERIFY, "as --tls-verify, for sentinels")
    shared_path: str = setting(
        "on",
        choice("off", "on"),
        "whether plain clients share connections to the servers, see Limits",
        restart=True,
    )
    max_clients: int = setting("10000", integer(1, 1_000_000), "clients at a time")
    max_dedicated: int = setting(
        "0",
        integer(0, 1_000_000),
        "clients at a time that may have connections to servers of their own, as each does here; 0: all",
    )
    pool_wait: float = setting(
        "1s", duration, "one client more waits so long for its turn, then hears that there are too many"
    )
    max_pending: int = setting(
        "10000",
        integer(1, 10_000_000),
        "commands of all clients that may wait for a connection to a server; one more is refused",
    )
    max_memory: int = setting(
        "0B",
        size,
        "memory of the process from which clients are refused, and the largest ones closed; 0B: 60 % of the "
        "container's",
        restart=True,
    )
    max_request: int = setting("512MiB", size, "longest argument of a command")
    slowlog_slower_than: float = setting(
        "10ms", duration, "commands that took longer from their arrival to their reply are kept; 0: none"
    )
    slowlog_max_len: int = setting("128", integer(1, 1000), "so many of them")
    log_format: str = setting("text", choice("text", "json"), "form of the log")
    log_level: str = setting("info", choice("debug", "info", "warning", "error"), "least urgent line logged")
    config: str = setting(
        "", text, "TOML file with any of these settings; a change of it is taken up", restart=True
    )
