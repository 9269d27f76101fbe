"""The command line: verbs, statsd_exporter's flags and exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from podmates_common.errors import ConfigError
from podmates_common.files import TooLarge, read_small, why_unread
from podmates_common.flags import Flags
from podmates_common.reference import effective, usage
from podmates_common.settings import Loaded, options, resolve
from podmates_common.version import VERSION
from podmates_metrics import kingpin
from podmates_metrics.settings import PREFIX, Settings

PROGRAM = "podmates-metrics"
SUMMARY = """\
What an application emits - StatsD lines, a JVM's beans, pages, sockets, files, logs, programs' output - as
one page for Prometheus. Verbs, the first where there is none:

  run                       serve that page
  check                     print the effective settings and what the files hold; 2 if something is wrong
  probe live|ready|started  ask a running adapter
  send                      send StatsD lines to a running adapter; see send --help
  try RULES                 give a sample to a rule file and print the page that they make; see try --help
  convert FILE              print a file of another exporter as a native rule file; see convert --help
  detect                    print a rule file for what localhost's ports have; see detect --help
  jmx [HOST:]PORT FILE      be jmx_exporter, with its arguments; FILE alone serves nothing and pushes
  json                      be json_exporter, with its flags; see json --help"""
VERBS = ("run", "check", "probe", "send", "try", "convert", "detect", "jmx")
ROWS = options(Settings, PREFIX)


class Refused(Exception):
    """The command line cannot be used; the text is one line."""


def words(argv: Sequence[str], *, positional: bool = False) -> kingpin.Words:
    """Take the flags apart; words that are no flags are refused unless *positional*.

    Raises:
        Refused: the first thing that is wrong.
    """
    try:
        return kingpin.parse(ROWS, kingpin.expand(argv, read_text), positional=positional)
    except kingpin.Usage as error:
        raise Refused(str(error)) from None


def load(told: kingpin.Words, environ: Mapping[str, str], *, served: bool = True) -> Loaded[Settings]:
    """Return the settings; *served*: there has to be a web port.

    Raises:
        Refused: something is wrong with them.
    """
    try:
        loaded = resolve(Settings, PREFIX, Flags(told.values, []), environ)
    except ConfigError as error:
        raise Refused("; ".join(error.problems)) from None
    settings = loaded.settings
    if served and settings.web_listen_address is None:
        raise Refused("--web.listen-address: want host:port")
    return loaded


def read_text(path: str) -> str:
    """Return the content of a file of arguments.

    Raises:
        Refused: it cannot be read.
    """
    try:
        return read_small(path).decode()
    except (OSError, TooLarge) as error:
        raise Refused(f"{path}: {why_unread(error)}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: not a text file") from None


def complain(error: Exception, program: str = PROGRAM) -> None:
    """Say what is wrong with the command line, in kingpin's one line."""
    print(f"{program}: error: {error}, try --help", file=sys.stderr)


def help_text() -> str:
    """Return the text of ``--help``."""
    return usage(ROWS, PROGRAM, SUMMARY).replace("[run|check|probe live|ready|started]", "[VERB]")


def version(parser: str) -> str:
    """Return what ``--version`` says."""
    return f"{PROGRAM} {VERSION} parser={parser}"


def shown(loaded: Loaded[Settings]) -> str:
    """Return the effective settings."""
    return effective(loaded)
