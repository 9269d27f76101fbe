"""The family's verbs, none or ``run``, ``check``, ``probe``, ``--version``, ``--help``, over its own grammar.

gitsync and the metrics adapter have the same verbs over the command lines that they took over.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from podmates_common.errors import PodmatesError
from podmates_common.parse import Address
from podmates_common.probe import PATHS, probe
from podmates_common.reference import effective, usage
from podmates_common.settings import Loaded, Option

T = TypeVar("T")

HTTP_OFF = 2  # exit status of `probe` where nothing listens by configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Generic[T]):
    """What differs between the services, for `dispatch`."""

    program: str
    summary: str  # one sentence, the head of --help
    load: Callable[[Sequence[str]], Loaded[T]]  # raises ConfigError
    rows: Sequence[Option]
    http: Callable[[T], Address | None]  # where the probes are answered; None: HTTP is off
    version: Callable[[], str]
    run: Callable[[Loaded[T]], int]
    help: Callable[[], str] | None = None  # where another grammar has its own


def dispatch(service: Service[T], argv: Sequence[str]) -> int:
    """Do what *argv* asks for and return the exit status; faults go to standard error, a line each."""
    verb, rest = (argv[0], argv[1:]) if argv and not argv[0].startswith("-") else ("run", argv)
    try:
        if "--version" in argv:
            print(service.version())
            return 0
        if "--help" in argv or "-h" in argv:
            print(_help(service), end="")
            return 0
        return _do(service, verb, rest)
    except PodmatesError as error:
        for line in str(error).splitlines():
            print(f"{service.program}: {line}", file=sys.stderr)
        return error.exit_status


def _do(service: Service[T], verb: str, rest: Sequence[str]) -> int:
    if verb == "run":
        return service.run(service.load(rest))
    if verb == "check":
        print(effective(service.load(rest)), end="")
        return 0
    if verb == "probe" and rest and rest[0] in PATHS:
        address = service.http(service.load(rest[1:]).settings)
        return HTTP_OFF if address is None else probe(rest[0], address)
    wanted = "run, check, probe live|ready|started"
    print(f"{service.program}: {verb}: unknown verb; want one of {wanted}", file=sys.stderr)
    return 2


def _help(service: Service[T]) -> str:
    if service.help is not None:
        return service.help()
    return usage(service.rows, service.program, service.summary)
