"""What ``--help`` prints: one line per flag in the order of the alphabet, then the variable-only secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from podmates_gitsync.flags.govalues import boolean, duration, integer, number

_TYPES: dict[Any, str] = {boolean: "", integer: " int", duration: " duration", number: " float"}
_ZEROS = {"", "0", "0s", "false"}


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
    def default(self) -> str | None: ...
    @property
    def help(self) -> str: ...
    @property
    def hidden(self) -> bool: ...


def usage(program: str, rows: Sequence[Declared], values: Mapping[str, str]) -> str:
    """Return the text, with the defaults as the environment made them; *values* is by field name."""
    flags = sorted((row for row in rows if row.flag and not row.hidden), key=lambda row: row.flag)
    secrets = [row for row in rows if not row.flag]
    heads = [_head(row) for row in flags]
    width = max(map(len, heads))
    lines = [f"Usage: {program} [FLAGS...]", "", " FLAGS:"]
    for head, row in zip(heads, flags, strict=True):
        value = values.get(row.name, row.default or "")
        lines.append(f"  {head.ljust(width)}   {row.help}{_default(row, value)}")
    lines += ["", " ENVIRONMENT VARIABLES:"]
    return "\n".join([*lines, *(f"  {row.variables[0]}   {row.help}" for row in secrets)]) + "\n"


def _head(row: Declared) -> str:
    short = f"{row.shorthand}, " if row.shorthand else "    "
    return f"{short}{row.flag}{_TYPES.get(row.parse, ' string')}"


def _default(row: Declared, value: str) -> str:
    if value in _ZEROS:
        return ""
    return f" (default {value})" if row.parse in _TYPES else f' (default "{value}")'
