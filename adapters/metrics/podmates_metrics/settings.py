"""Configuration of the metrics adapter: statsd_exporter's flags under their own names, then ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from podmates_common.parse import Address, address, boolean, choice, duration, integer, text
from podmates_common.settings import setting
from podmates_metrics.webpath import path

PREFIX = "PODMATES_METRICS"
PROBE_METRICS = "add to /probe how the probe went; one that fails is then answered, too"
PROBE_TARGETS = "where targets of /probe may begin, as http://app:8080/stats; may be repeated; none: anywhere"


def prefix(value: str) -> str:
    """Return the beginning of addresses: a scheme, a host, perhaps a port and a path."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("want http://host:port/path")
    return value


def listener(value: str) -> Address | None:
    """Return where to listen; an empty text switches the listener off. No host means every IPv4 address."""
    if not value:
        return None
    host, port = address(value)
    return Address(host or "0.0.0.0", port)


def receiver(value: str) -> Address | None:
    """Return where to send; an empty text is nowhere."""
    if not value:
        return None
    where = address(value)
    if not where.host or not where.port:
        raise ValueError("want host:port")
    return where


def window(value: str) -> float:
    """Return the seconds of a duration that is long enough to be cut in slices."""
    seconds = duration(value)
    if seconds < 1:
        raise ValueError("want at least 1s")
    return seconds


def some_time(value: str) -> float:
    """Return the seconds of a duration that is not over at once."""
    seconds = duration(value)
    if not seconds > 0:
        raise ValueError("want more than 0")
    return seconds


def mode(value: str) -> int | None:
    """Return the permission bits of octal digits; None when there are none to be had, which is a warning."""
    return int(value, 8) if re.fullmatch(r"[0-7]{1,4}", value) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    web_listen_address: Address | None = setting(
        ":9102", listener, "where HTTP is served", flag="web.listen-address"
    )
    web_telemetry_path: str = setting("/metrics", path, "where the metrics are", flag="web.telemetry-path")
    web_config_file: str = setting(
        "", text, "web configuration of Prometheus' exporters: TLS, users, headers", flag="web.config.file"
    )
    web_enable_lifecycle: bool = setting(
        "false", boolean, "serve /-/reload, /-/quit and /-/try", flag="web.enable-lifecycle", switch=True
    )
    statsd_listen_udp: Address | None = setting(
        ":9125", listener, "UDP address for StatsD lines; empty: none", flag="statsd.listen-udp"
    )
    statsd_listen_tcp: Address | None = setting(
        ":9125", listener, "TCP address for StatsD lines; empty: none", flag="statsd.listen-tcp"
    )
    statsd_listen_unixgram: str = setting(
        "", text, "path of a datagram socket for StatsD lines; empty: none", flag="statsd.listen-unixgram"
    )
    statsd_listen_unix: str = setting(
        "",
        text,
        "path of a stream socket for StatsD lines, or frames of DogStatsD; empty: none",
        flag="statsd.listen-unix",
    )
    statsd_unixsocket_mode: int | None = setting(
        "755", mode, "permission bits of these sockets, octal", flag="statsd.unixsocket-mode"
    )
    statsd_mapping_config: str = setting(
        "", text, "mapping file of statsd_exporter (YAML)", flag="statsd.mapping-config"
    )
    statsd_mapping_watch: bool = setting(
        "false", boolean, "read it again when it changes, as a ConfigMap does", flag="statsd.mapping-watch",
        switch=True,
    )  # fmt: skip
    statsd_read_buffer: int = setting(
        "0", integer(0), "receive buffer of the datagram sockets in bytes; 0: 4 MB, if it may be",
        flag="statsd.read-buffer",
    )  # fmt: skip
    statsd_cache_size: int = setting(
        "1000", integer(0), "mapping decisions that are remembered", flag="statsd.cache-size"
    )
    statsd_cache_type: str = setting(
        "lru", choice("lru", "random"), "which decision is forgotten first", flag="statsd.cache-type"
    )
    statsd_event_queue_size: int = setting(
        "10000", integer(0), "accepted; lines are handled as they come", flag="statsd.event-queue-size"
    )
    statsd_event_flush_threshold: int = setting(
        "1000", integer(0), "accepted; nothing waits to be flushed", flag="statsd.event-flush-threshold"
    )
    statsd_event_flush_interval: float = setting(
        "200ms", duration, "accepted; nothing waits to be flushed", flag="statsd.event-flush-interval"
    )
    statsd_udp_packet_queue_size: int = setting(
        "10000", integer(0), "accepted; the kernel's buffer is the queue", flag="statsd.udp-packet-queue-size"
    )
    statsd_parse_dogstatsd_tags: bool = setting(
        "true", boolean, "take DogStatsD tags", flag="statsd.parse-dogstatsd-tags", switch=True
    )
    statsd_parse_influxdb_tags: bool = setting(
        "true", boolean, "take InfluxDB tags", flag="statsd.parse-influxdb-tags", switch=True
    )
    statsd_parse_librato_tags: bool = setting(
        "true", boolean, "take Librato tags", flag="statsd.parse-librato-tags", switch=True
    )
    statsd_parse_signalfx_tags: bool = setting(
        "true", boolean, "take SignalFX tags", flag="statsd.parse-signalfx-tags", switch=True
    )
    statsd_relay_address: Address | None = setting(
        "",
        receiver,
        "host:port that gets a copy of every line by UDP; empty: none",
        flag="statsd.relay.address",
    )
    statsd_relay_packet_length: int = setting(
        "1400", integer(2, 65507), "bytes of a relayed packet", flag="statsd.relay.packet-length"
    )
    statsd_dogstatsd_extensions: bool = setting(
        "false", boolean, "take sets, events, service checks, tags without a value, packed counters and "
        "gauges; always on under a native statsd source",
        flag="statsd.dogstatsd-extensions", switch=True,
    )  # fmt: skip
    statsd_set_window: float = setting(
        "60s", window, "how long a member of a set counts", flag="statsd.set-window"
    )
    statsd_container_label: bool = setting(
        "true", boolean, "make DogStatsD's container id a label", flag="statsd.container-label", switch=True
    )
    statsd_max_series: int = setting(
        "250000", integer(0), "series that may exist; further ones are counted, not kept; 0: any number",
        flag="statsd.max-series",
    )  # fmt: skip
    check_config: bool = setting(
        "false",
        boolean,
        "load the files, open nothing, exit 0 or 1",
        flag="check-config",
        switch=True,
    )
    debug_dump_fsm: str = setting(
        "", text, "file that gets the mapping's globs as a graph (Graphviz)", flag="debug.dump-fsm"
    )
    json_probe_metrics: bool = setting(
        "false", boolean, PROBE_METRICS, flag="json.probe-metrics", switch=True
    )
    json_allow_target: tuple[str, ...] = setting(
        "", prefix, PROBE_TARGETS, flag="json.allow-target", repeatable=True
    )
    log_level: str = setting(
        "info", choice("debug", "info", "warn", "error"), "what is logged", flag="log.level"
    )
    log_format: str = setting("logfmt", choice("logfmt", "json"), "form of the log lines", flag="log.format")
    jmx_target: tuple[str, ...] = setting(
        "", text, "a JVM to read, [NAME=]HOST:PORT or a URL of JMX; may be repeated", flag="jmx.target",
        repeatable=True,
    )  # fmt: skip
    jmx_config: str = setting(
        "", text, "file of jmx_exporter for these JVMs; without one, for the JVM that it names",
        flag="jmx.config",
    )  # fmt: skip
    config_file: tuple[str, ...] = setting(
        "", text, "file, native or of statsd_exporter, json_exporter or jmx_exporter, or a directory; "
        "may be repeated",
        flag="config.file", repeatable=True,
    )  # fmt: skip
    config_watch: bool = setting(
        "true",
        boolean,
        "read files of --config.file again when they change",
        flag="config.watch",
        switch=True,
    )
    ready_require_targets: bool = setting(
        "false",
        boolean,
        "not ready while a source fails",
        flag="ready.require-targets",
        switch=True,
    )
    source_timeout: float = setting(
        "8s", some_time, "what a scrape waits for a source at most", flag="source.timeout"
    )
    enable_command: bool = setting(
        "false",
        boolean,
        "let sources of kind command run programs",
        flag="enable-command",
        switch=True,
    )
