"""From a verb to what it does."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from podmates_common import logs
from podmates_common.lifecycle import until_stopped
from podmates_common.settings import Loaded
from podmates_common.version import VERSION
from podmates_metrics import command, kingpin
from podmates_metrics.settings import Settings
from podmates_metrics.statsd import twins
from podmates_metrics.tree import Fault

log = logging.getLogger(__name__)
_KINDS = ("live", "ready", "started")
_LEVELS = {"warn": "warning"}
_STRANGERS = 1.0  # lines a second of one kind, in the long run
_BAD_CONFIGURATION = 2  # of `check`; the drop-in's flags say 1


def dispatch(verb: str, words: Sequence[str], environ: Mapping[str, str], twin: Any) -> int:
    """Return the exit status of *verb*.

    Raises:
        command.Refused: the command line cannot be used.
    """
    if verb == "jmx" and not {*words} & {*kingpin.HELP, "--version"}:
        loaded = command.load(_standalone(words), environ, served=len(words) > 1)
        return _run(loaded, environ, twin, jmx_file=words[-1])
    if verb == "probe" and {*words} & {*kingpin.HELP}:
        words = ["live", "--help"]
    kind = words[0] if verb == "probe" and words else ""
    if verb not in command.VERBS or (verb == "probe" and kind not in _KINDS):
        raise command.Refused(f"unexpected {verb if verb != 'probe' else f'probe {kind}'.strip()}")
    if verb == "send":
        from podmates_metrics.sending.verb import main

        return main(words, environ)
    own = _own_grammar(verb)
    if own is not None:
        return own(words, command.PROGRAM)
    try:
        told = command.words(words[1:] if kind else words, positional=verb == "jmx")
    except command.Refused as error:
        if verb != "check":
            raise
        command.complain(error)
        return _BAD_CONFIGURATION
    if told.asked:
        version = command.version(twins.name(twin))
        print(version if told.asked == "--version" else command.help_text().rstrip())
        return 0
    if verb == "check":
        return _check(told, environ)
    loaded = command.load(told, environ)
    if verb == "probe":
        return _probe(kind, loaded.settings)
    return _run(loaded, environ, twin)


def _own_grammar(verb: str) -> Callable[[Sequence[str], str], int] | None:
    """Return what does *verb* if its command line has nothing to do with the settings."""
    if verb == "try":
        from podmates_metrics.trial.verb import main
    elif verb == "convert":
        from podmates_metrics.converting.verb import main
    elif verb == "detect":
        from podmates_metrics.detecting.verb import main
    else:
        return None
    return main


def _standalone(words: Sequence[str]) -> Any:
    from podmates_metrics.jmx_exporter import commandline

    try:
        return commandline.words(words)
    except ValueError as error:
        raise command.Refused(str(error)) from None


def _probe(kind: str, settings: Settings) -> int:
    from podmates_common.probe import probe  # late: it brings an HTTP client

    assert settings.web_listen_address is not None  # noqa: S101  (`load` looked)
    secure = False
    if settings.web_config_file:
        from podmates_metrics.webfile import read

        try:
            secure = read(settings.web_config_file).tls is not None
        except Fault as error:
            print(f"{command.PROGRAM}: {error}", file=sys.stderr)
            return 1
    return probe(kind, settings.web_listen_address, secure=secure)


def _check(told: Any, environ: Mapping[str, str]) -> int:
    from podmates_metrics import config

    try:
        loaded = command.load(told, environ)
        files = config.read(loaded.settings, environ)
    except (command.Refused, Fault) as error:
        print(f"{command.PROGRAM}: {error}", file=sys.stderr)
        return _BAD_CONFIGURATION
    print(command.shown(loaded), end="")
    print(f"rules: {len(files.mapping.rules)} for StatsD, {len(files.rules)} native")
    if files.modules:
        print(f"modules: {', '.join(files.modules)}")
    for note in files.notes:
        print(f"without effect: {note}")
    print("sources: " + (", ".join(files.asked) or "none"))
    return 0


def _run(loaded: Loaded[Settings], environ: Mapping[str, str], twin: Any, *, jmx_file: str = "") -> int:
    settings = loaded.settings
    logs.setup(form=settings.log_format, level=_LEVELS.get(settings.log_level, settings.log_level))
    for name in ("aiohttp.server", "asyncio"):  # which have a line for whatever strangers do
        logging.getLogger(name).addFilter(logs.Rated(_STRANGERS))
    from podmates_metrics import config

    try:
        files = config.read(settings, environ, jmx_file=jmx_file)
    except Fault as error:
        log.error("configuration: %s", error)
        return 1
    if settings.debug_dump_fsm:
        _draw(settings.debug_dump_fsm, files.mapping)
    if settings.check_config:
        log.info("configuration is good", extra={"fields": {"rules": len(files.mapping.rules)}})
        return 0
    own = files.statsd
    statsd = (own.udp or own.tcp) if own else (settings.statsd_listen_udp or settings.statsd_listen_tcp)
    unix = settings.statsd_listen_unixgram or settings.statsd_listen_unix
    for note in files.notes:
        log.warning("%s", note)
    if settings.web_listen_address is None:
        if files.push is None:
            log.error("a file alone is pushed only: want openTelemetry in it, or [HOST:]PORT before it")
            return 1
        if files.http_server is not None:
            log.warning("httpServer: without effect, as nothing is served")
    if not (statsd or unix or files.asked or files.modules):
        log.error("at least one of the StatsD listeners must be on, or a source given")
        return 1
    return _serve(settings, files, twin, lambda: config.read(settings, environ, jmx_file=jmx_file))


def _draw(path: str, mapping: Any) -> None:
    """Write the mapping's globs to the file at *path*; a failure is a line in the log and no more."""
    from podmates_metrics.statsd.graph import graph

    try:
        Path(path).write_text(graph(mapping))
    except OSError as error:
        log.error("debug.dump-fsm: %s: %s", path, error.strerror)


def _serve(settings: Settings, files: Any, twin: Any, read: Callable[[], Any]) -> int:
    from podmates_common.admin import About
    from podmates_metrics.app import App

    about = About(command.PROGRAM, VERSION, {"parser": twins.name(twin)})
    try:
        asyncio.run(until_stopped(App(settings, files, twin, about, read=read).run))
    except Fault as error:
        log.error("configuration: %s", error)
        return 1
    except OSError as error:
        log.error("cannot listen: %s", error)
        return 1
    return 0
