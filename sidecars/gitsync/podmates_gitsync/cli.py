"""What the command line asks for: print something, check, probe, or run."""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path

from podmates_common.redact import Redactor
from podmates_common.version import VERSION
from podmates_gitsync.flags import legacy, repositories
from podmates_gitsync.flags.load import (
    Command,
    FlagError,
    Loader,
    VariableError,
    deprecations,
    presentable,
)
from podmates_gitsync.flags.repositories import Told
from podmates_gitsync.flags.validate import first_fault
from podmates_gitsync.settings import Settings

VERBS = ("run", "check", "probe")
KINDS = ("live", "ready", "started")


def main(program: str, argv: Sequence[str], environ: MutableMapping[str, str]) -> int:
    """Do what was asked and return the exit status.

    Only under our own name is the first word a verb; ``/git-sync`` ignores positional arguments.
    """
    name = Path(program).name
    name = "podmates-gitsync" if name == "__main__.py" else name
    own = name != "git-sync"
    verb = argv[0] if own and argv and argv[0] in VERBS else "run"
    rest = list(argv[1:]) if own and argv and argv[0] in VERBS else list(argv)
    kind = rest.pop(0) if verb == "probe" and rest and rest[0] in KINDS else "ready"
    try:
        loader = Loader(environ)
    except VariableError as error:
        print(f"FATAL: {error}", file=sys.stderr)
        return 2 if verb in {"check", "probe"} else 1
    if verb == "run":
        _warn(loader.warnings)
    try:
        command = loader.command(rest)
        if own and command.positional:
            raise FlagError(f"unexpected argument: {command.positional[0]}")
    except FlagError as error:
        print(error, loader.usage(name), error, sep="\n", file=sys.stderr)
        return 2
    return _print_and_exit(command, loader, name) or _do(
        verb, kind, command, usage=lambda: loader.usage(name), environ=environ
    )


def _warn(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


def _print_and_exit(command: Command, loader: Loader, name: str) -> int:
    """Print what the flags ask for and end the process; return 0 when they ask for nothing."""
    if command.printing("version"):
        print(VERSION)
    elif command.printing("help") or command.printing("question"):
        print(loader.usage(name), end="")
    elif command.printing("man"):
        print(loader.manual(), end="")
    else:
        return 0
    raise SystemExit(0)


def _do(
    verb: str,
    kind: str,
    command: Command,
    *,
    usage: Callable[[], str],
    environ: MutableMapping[str, str],
) -> int:
    if verb == "probe":
        return _probe(kind, command)
    settings, notes = legacy.rewrite(command.settings)
    command = command.having(settings)
    fault, told = first_fault(command), [Told("", command)]
    if fault is None and settings.config:
        try:
            command, told = repositories.read(command)
        except repositories.FileError as error:
            fault = str(error)
    if verb == "check":
        return _check(told, fault)
    _warn(deprecations(command))
    if fault is not None:
        _report(fault, settings, "" if settings.config else usage())
        return 1
    from podmates_gitsync.service.process import Process

    return Process(command, told, environ, notes).run()


def _report(fault: str, settings: Settings, usage: str) -> None:
    from podmates_gitsync.reports.files import error_file

    _warn([fault, usage, fault] if usage else [fault])
    if settings.root and (file := error_file(settings.root, settings.error_file)):
        file.write(fault)


def _check(told: Sequence[Told], fault: str | None) -> int:
    from podmates_common.reference import effective

    if fault is not None:
        print(fault, file=sys.stderr)
        return 2
    for name, command in told:
        heading = f"[{name}]\n" if name else ""
        print(heading + Redactor().clean(effective(presentable(command).loaded)), end="")
    return 0


def _probe(kind: str, command: Command) -> int:
    from podmates_common import parse, probe

    try:
        if command.settings.config:
            command, _ = repositories.read(command)
        if not command.settings.http_bind:
            print("HTTP is off: set --http-bind or GITSYNC_HTTP_BIND", file=sys.stderr)
            return 2
        return probe.probe(kind, parse.address(command.settings.http_bind))
    except repositories.FileError as error:
        print(error, file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"--http-bind: {error}", file=sys.stderr)
        return 2
