"""What the engine has to know of each command: rows of plain numbers. No I/O.

The numbers stand in shapes.pxi as well. What a row cannot say is HARD: the engine hands such a client to
Python, where `commands.plans` knows all there is to know.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from podmates_redis.commands import families
from podmates_redis.commands.rewriting import COATS
from podmates_redis.commands.table import Command, Kind, Table, Use

READ, WRITE, PLAIN, LOCAL, MULTI, EXEC, HARD = range(7)
NO_KEYS, RANGE, NUMBERED, STREAMS, STORED, ANY_KEY = range(6)
ACQUIRES, EVERYTHING, CONTAINER, SET_OPTIONS, HARD_BLOCK, ANY_BY_GET, EVERYTHING_DB, REPEATABLE = (
    1 << bit for bit in range(8)
)
# why a read is at the master, by number
REASONS = (
    "",
    "mark",
    "acquire",
    "pipeline",
    "policy",
    "cursor",
    "no_replica",
    "lag",
    "retry",
    "transaction",
)


class Row(NamedTuple):
    """One command for the engine."""

    name: str
    kind: int
    rule: int = NO_KEYS
    reason: int = 0  # of a read that is kept from replicas
    flags: int = 0
    arity: int = -1
    first: int = 0
    last: int = 0
    step: int = 1


_KINDS = {
    Kind.READ: READ,
    Kind.WRITE: WRITE,
    Kind.PLAIN: PLAIN,
    Kind.LOCAL: LOCAL,
    Kind.MULTI: MULTI,
    Kind.EXEC: EXEC,
}
# of a connection, or slow, or to be kept from waiting behind what they are to end
_NOT_SHARED = families.RESETTING | frozenset(
    [
        "script|kill",
        "script|load",
        "script|flush",
        "fcall",
        "fcall_ro",
        "function|kill",
        "info",
        "readonly",
        "readwrite",
        "asking",
        "shutdown",
    ]
)
_ODD_KEYS = frozenset(["msetex", "stralgo"])  # no rule finds their keys
_REPEATABLE = frozenset(["info", "time", "role", "lastsave", "command", "ping", "echo"])
_REFINED = {
    "set": SET_OPTIONS,
    "xread": HARD_BLOCK,
    "xreadgroup": HARD_BLOCK,
    "sort_ro": ANY_BY_GET,
    "copy": EVERYTHING_DB,
}
# (place of the number of keys, place of a destination)
_NUMBERED = {
    **dict.fromkeys(["zunion", "zinter", "zdiff", "sintercard", "zintercard", "lmpop", "zmpop"], (1, 0)),
    **dict.fromkeys(["zunionstore", "zinterstore", "zdiffstore"], (2, 1)),
}
# 2: with STOREDIST as well as STORE
_STORED = {"sort": 1, "georadius": 2, "georadiusbymember": 2}


def rows(
    table: Table, *, misjudged: Container[str] = (), passthrough: bool = False, rewrite_ro: bool = False
) -> list[Row]:
    """Return the row of every command of *table*.

    *misjudged*: reads that are the master's; *passthrough*: clients log in themselves; *rewrite_ro*: what
    may only read, in a write's coat, is Python's to see.
    """
    found = [_row(command, command.name in misjudged, passthrough) for command in table]
    return [row._replace(kind=HARD) if rewrite_ro and row.name in COATS else row for row in found]


def _row(command: Command, misjudged: bool, passthrough: bool) -> Row:
    name = command.name
    kind = _kind(command, passthrough)
    flags = _REFINED.get(name, 0)
    flags |= ACQUIRES * command.acquires | EVERYTHING * command.everything | CONTAINER * command.container
    flags |= REPEATABLE * (name in _REPEATABLE or name.startswith("command|"))
    reason = 0
    if kind == READ:
        reason = REASONS.index("policy") if misjudged else _reason(command)
    rule, first, last = _keys(command)
    return Row(name, kind, rule, reason, flags, command.arity, first, last, command.step)


def _kind(command: Command, passthrough: bool) -> int:
    family = command.name.partition("|")[0]
    odd = command.denied or command.anywhere or command.name in _ODD_KEYS or command.script is not Use.NONE
    apart = command.apart and _REFINED.get(command.name, 0) != HARD_BLOCK
    hard = command.container or command.administrative or command.name in _NOT_SHARED
    if apart or hard or odd or family in ("client", "debug", "module"):
        return HARD
    kind = _KINDS.get(command.kind, HARD)
    return PLAIN if kind == LOCAL and passthrough else kind


def _reason(command: Command) -> int:
    if command.why_master:
        return REASONS.index(command.why_master)
    keyless = command.first == 0 and not command.movable
    return REASONS.index("policy") if keyless else 0


def _keys(command: Command) -> tuple[int, int, int]:
    """Return (rule, first, last)."""
    if command.name in _NUMBERED:
        return NUMBERED, *_NUMBERED[command.name]
    if command.name in ("xread", "xreadgroup"):
        return STREAMS, 0, 0
    if command.name in _STORED:
        return STORED, 1, _STORED[command.name]
    if command.name == "sort_ro":
        return RANGE, 1, 1
    if command.movable or (command.first == 0 and command.kind in (Kind.READ, Kind.WRITE)):
        return ANY_KEY, 0, 0
    return (RANGE, command.first, command.last) if command.first else (NO_KEYS, 0, 0)
