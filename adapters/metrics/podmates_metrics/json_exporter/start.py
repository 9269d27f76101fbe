"""json_exporter's command line: from its flags to a running server."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence

from podmates_common import logs
from podmates_common.errors import ConfigError
from podmates_common.flags import Flags
from podmates_common.lifecycle import until_stopped
from podmates_common.reference import usage
from podmates_common.settings import options, resolve
from podmates_common.version import VERSION
from podmates_metrics import kingpin
from podmates_metrics import settings as all_settings
from podmates_metrics.command import Refused, read_text
from podmates_metrics.json_exporter.loading import Loaded, read
from podmates_metrics.json_exporter.settings import PREFIX, Settings
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)
PROGRAM = "json_exporter"
_SUMMARY = "Asks targets for JSON at each probe, and answers with the series that its modules make of it."
_ROWS = options(Settings, PREFIX)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what json_exporter does with *argv*; return the exit status.

    Raises:
        Refused: the command line cannot be used.
    """
    try:
        told = kingpin.parse(_ROWS, kingpin.expand(argv, read_text))
    except kingpin.Usage as error:
        raise Refused(str(error)) from None
    if told.asked:
        version = f"{PROGRAM} of podmates-metrics {VERSION}"
        help = usage(_ROWS, PROGRAM, _SUMMARY).replace(" [run|check|probe live|ready|started]", "")
        print(version if told.asked == "--version" else help.rstrip())
        return 0
    settings = _settings(told, environ)
    logs.setup(form=settings.log_format, level=settings.log_level.replace("warn", "warning"))
    try:
        loaded = read(settings.config_file)
    except Fault as error:
        log.error("configuration: %s", error)
        return 1
    log.info("configuration loaded", extra={"fields": {"modules": len(loaded.modules)}})
    return 0 if settings.config_check else _serve(settings, loaded)


def _settings(told: kingpin.Words, environ: Mapping[str, str]) -> Settings:
    # The variables of the other command line may be there as well: one image has both.
    own = {name for row in _ROWS for name in row.variables}
    others = {name for row in options(all_settings.Settings, PREFIX) for name in row.variables} - own
    environ = {name: text for name, text in environ.items() if name not in others}
    try:
        settings = resolve(Settings, PREFIX, Flags(told.values, []), environ).settings
    except ConfigError as error:
        raise Refused("; ".join(error.problems)) from None
    if settings.web_systemd_socket:
        raise Refused("--web.systemd-socket is not offered")
    if None in settings.web_listen_address:
        raise Refused("--web.listen-address: want host:port")
    if not os.path.exists(settings.config_file) or os.path.isdir(settings.config_file):
        raise Refused(f"path '{settings.config_file}' does not exist")
    return settings


def _serve(settings: Settings, loaded: Loaded) -> int:
    from podmates_metrics.json_exporter.server import JsonServer  # late: it brings aiohttp

    try:
        asyncio.run(until_stopped(JsonServer(settings, loaded).run))
    except Fault as error:
        log.error("configuration: %s", error)
        return 1
    except OSError as error:
        log.error("cannot listen: %s", error)
        return 1
    return 0
