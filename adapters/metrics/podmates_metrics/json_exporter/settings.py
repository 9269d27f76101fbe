"""json_exporter's command line under its own names, and ours beside it."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_common.parse import Address, boolean, choice, text
from podmates_common.settings import setting
from podmates_metrics.settings import PREFIX, PROBE_METRICS, PROBE_TARGETS, listener, prefix
from podmates_metrics.webpath import path

__all__ = ["PREFIX", "Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    config_file: str = setting("config.yml", text, "the file with the modules", flag="config.file")
    config_check: bool = setting(
        "false", boolean, "read the file, open nothing, exit 0 or 1", flag="config.check", switch=True
    )
    config_watch: bool = setting(
        "true", boolean, "read the file again when it changes", flag="config.watch", switch=True
    )
    web_listen_address: tuple[Address | None, ...] = setting(
        ":7979", listener, "where HTTP is served; may be repeated", flag="web.listen-address", repeatable=True
    )
    web_telemetry_path: str = setting(
        "/metrics", path, "where the adapter's own metrics are", flag="web.telemetry-path"
    )
    web_config_file: str = setting(
        "", text, "file that has TLS and users for the web port; empty: neither", flag="web.config.file"
    )
    web_systemd_socket: bool = setting(
        "false", boolean, "refused: not offered", flag="web.systemd-socket", switch=True, hidden=True
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
