"""What one request needs: its command, refined by its arguments, and the keys it names. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from podmates_redis.commands import families
from podmates_redis.commands.table import Command, Kind, Table


class Plan(NamedTuple):
    """One request, understood."""

    command: Command
    keys: list[bytes] | None  # None: not known, so it may be any


Places = Callable[[list[bytes]], "list[bytes] | None"]
_SET_OPTIONS = frozenset([b"nx", b"xx", b"get", b"ifeq", b"ifne", b"ifdeq", b"ifdne"])


def plan(table: Table, args: list[bytes]) -> Plan:
    """Return what *args* need."""
    command = table.find(args)
    refine = _REFINERS.get(command.name)
    if refine:
        command = refine(command, args)
    return Plan(command, keys(command, args))


def keys(command: Command, args: list[bytes]) -> list[bytes] | None:
    """Return the keys that *args* name, or None when that cannot be said."""
    if command.movable or command.name in _FINDERS:
        finder = _FINDERS.get(command.name)
        return finder(args) if finder else None
    if command.first == 0:
        return None
    if command.last == command.first:
        return args[command.first : command.first + 1]
    end = command.last + 1 if command.last >= 0 else len(args) + command.last + 1
    return args[command.first : end : command.step]


def _numbered(place: int, also: int = 0) -> Places:
    """Keys behind their count at *place*; *also* is the place of a destination."""

    def find(args: list[bytes]) -> list[bytes] | None:
        try:
            count = int(args[place])
        except (ValueError, IndexError):
            return None
        if count <= 0:
            return None
        found = args[place + 1 : place + 1 + count]
        return [*args[also : also + 1], *found] if also else found

    return find


def _every_other(args: list[bytes]) -> list[bytes] | None:
    """The keys of MSETEX: each is followed by its value."""
    try:
        count = int(args[1])
    except (ValueError, IndexError):
        return None
    return args[2 : 2 + 2 * count : 2] if count > 0 else None


def _stralgo(args: list[bytes]) -> list[bytes] | None:
    for at, word in enumerate(args):
        if word.lower() == b"keys":
            return args[at + 1 : at + 3]
    return None


def _streams(args: list[bytes]) -> list[bytes] | None:
    for at, word in enumerate(args):
        if word.lower() == b"streams":
            rest = args[at + 1 :]
            return rest[: len(rest) // 2] or None
    return None


def _with_store(*words: bytes) -> Places:
    """The first key, and the one behind any of *words*."""

    def find(args: list[bytes]) -> list[bytes] | None:
        stored = [args[at + 1] for at in range(2, len(args) - 1) if args[at].lower() in words]
        return [*args[1:2], *stored]

    return find


def _sort_ro(args: list[bytes]) -> list[bytes] | None:
    outside = any(word.lower() in (b"by", b"get") for word in args[2:])
    return None if outside else args[1:2]


# scripts are missing on purpose: they may touch keys that they do not declare
_FINDERS: dict[str, Places] = {
    **dict.fromkeys(families.COUNTING, lambda args: []),
    **dict.fromkeys(
        ["zunion", "zinter", "zdiff", "sintercard", "zintercard", "lmpop", "zmpop"], _numbered(1)
    ),
    **dict.fromkeys(["blmpop", "bzmpop"], _numbered(2)),
    **dict.fromkeys(["zunionstore", "zinterstore", "zdiffstore"], _numbered(2, also=1)),
    **dict.fromkeys(["xread", "xreadgroup"], _streams),
    "msetex": _every_other,
    "stralgo": _stralgo,
    "sort": _with_store(b"store"),
    "sort_ro": _sort_ro,
    **dict.fromkeys(["georadius", "georadiusbymember"], _with_store(b"store", b"storedist")),
}


def _stream_read(command: Command, args: list[bytes]) -> Command:
    for word in args[1:]:
        word = word.lower()
        if word == b"block":
            return replace(command, kind=Kind.BLOCKING, acquires=True)
        if word == b"streams":
            break
    return command


def _set(command: Command, args: list[bytes]) -> Command:
    if len(args) > 3 and any(word.lower() in _SET_OPTIONS for word in args[3:]):
        return _acquiring(command)
    return command


def _acquiring(command: Command) -> Command:
    return replace(command, acquires=True)


def _info(command: Command, args: list[bytes]) -> Command:
    ours = len(args) == 2 and args[1].lower() == b"ambassador"
    return replace(command, kind=Kind.SECTION) if ours else command


def _copy(command: Command, args: list[bytes]) -> Command:
    across = any(word.lower() == b"db" for word in args[3:])
    return replace(command, everything=True) if across else command


_REFINERS: dict[str, Callable[[Command, list[bytes]], Command]] = {
    "xread": _stream_read,
    "xreadgroup": _stream_read,
    "set": _set,
    "copy": _copy,
    "info": _info,
}
