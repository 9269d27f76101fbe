"""Reads in a write's coat: planned as the reads that they are, and said so to a replica alone. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from podmates_redis.commands.plans import Plan, plan
from podmates_redis.commands.table import Kind, Table
from podmates_redis.wire.requests import encode


def rewritten(table: Table, args: list[bytes], planned: Plan) -> tuple[Plan, bytes]:
    """Return how to treat *args*, and what to say to a replica in place of it, if anything.

    The master is always said what the client has said: its errors name the command.
    """
    found = _READS.get(planned.command.name)
    if found is None or planned.command.why_master or not planned.command.accepts(len(args)):
        return planned, b""
    name, reads = found
    if not table.lists(name) or not reads(args):
        return planned, b""
    words = [name, *args[1:]]
    read = plan(table, words)
    command = replace(planned.command, kind=Kind.READ, why_master=read.command.why_master)
    return Plan(command, read.keys), encode(*words)


def _without(*words: bytes) -> Callable[[list[bytes]], bool]:
    def reads(args: list[bytes]) -> bool:
        return not any(word.lower() in words for word in args[2:])

    return reads


def _only_gets(args: list[bytes]) -> bool:
    """Triples of GET, type and offset, at least one."""
    return len(args) > 2 and len(args) % 3 == 2 and all(word.lower() == b"get" for word in args[2::3])


_READS: dict[str, tuple[bytes, Callable[[list[bytes]], bool]]] = {
    "sort": (b"sort_ro", _without(b"store")),
    "georadius": (b"georadius_ro", _without(b"store", b"storedist")),
    "georadiusbymember": (b"georadiusbymember_ro", _without(b"store", b"storedist")),
    "bitfield": (b"bitfield_ro", _only_gets),
    "getex": (b"get", lambda args: len(args) == 2),
}
COATS = frozenset(_READS)  # what may only read, though it is a write by its name
