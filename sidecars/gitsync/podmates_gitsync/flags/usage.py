"""What ``--help`` prints: a line for each flag, git-sync's first, in the order of the alphabet."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Protocol

from podmates_gitsync.govalues import boolean, duration, integer, number

_TYPES: dict[Any, str] = {boolean: "", integer: " int", duration: " duration", number: " float"}
_ZEROS = {"", "0", "0s", "false", "[]"}


class Declared(Protocol):
    """What is needed of a setting."""

    @property
    def name(self) -> str: ...
    @property
    def flag(self) -> str: ...
    @property
    def shorthand(self) -> str: ...
    @property
    def variables(self) -> tuple[str, ...]: ...
    @property
    def parse(self) -> Callable[[str], Any]: ...
    @property
    def help(self) -> str: ...
    @property
    def hidden(self) -> bool: ...
    @property
    def repeatable(self) -> bool: ...


def usage(program: str, rows: Sequence[Declared], values: Mapping[str, str], beyond: Container[str]) -> str:
    """Return the text.

    Args:
        program: its base name; only under our own are there verbs.
        rows: every setting; hidden ones are left out.
        values: what is shown as the default, by field name: what the environment made of it.
        beyond: the fields that git-sync does not know; they follow under a head of their own.
    """
    flags = sorted((row for row in rows if row.flag and not row.hidden), key=lambda row: row.flag)
    secrets = [row for row in rows if not row.flag]
    width = max(len(head(row)) for row in flags)
    verbs = "" if program == "git-sync" else "[run | check | probe live|ready|started] "
    lines = [f"Usage: {program} {verbs}[FLAGS...]", "", " FLAGS:"]
    lines += [_line(row, values, width) for row in flags if row.name not in beyond]
    lines += ["", " FLAGS THAT GIT-SYNC DOES NOT KNOW:"]
    lines += [_line(row, values, width) for row in flags if row.name in beyond]
    lines += ["", " ENVIRONMENT VARIABLES:"]
    width = max(len(row.variables[0]) for row in secrets)
    lines += [f"    {row.variables[0].ljust(width)}   {row.help}" for row in secrets]
    return "\n".join(lines) + "\n"


def _line(row: Declared, values: Mapping[str, str], width: int) -> str:
    return f"  {head(row).ljust(width)}   {row.help}{shown_default(row, values.get(row.name, ''))}"


def head(row: Declared) -> str:
    """Return a flag with its shorthand and the word for the type of its value."""
    short = f"{row.shorthand}, " if row.shorthand else "    "
    kind = " stringArray" if row.repeatable else _TYPES.get(row.parse, " string")
    return f"{short}{row.flag}{kind}"


def shown_default(row: Declared, value: str) -> str:
    """Return *value* in parentheses; nothing when it is the zero of its type."""
    if value in _ZEROS:
        return ""
    bare = row.parse in _TYPES or row.repeatable
    return f" (default {value})" if bare else f' (default "{value}")'
