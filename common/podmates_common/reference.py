"""What the declarations say to people: help, the README's table, the effective settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from podmates_common.redact import MASK
from podmates_common.settings import Loaded, Option


def effective(loaded: Loaded[Any]) -> str:
    """Return a line per setting: its value and where that came from, secrets masked."""
    return "".join(
        f"{row.name} = {shown(loaded.settings, row)}  ({loaded.origins[row.name]})\n" for row in loaded.rows
    )


def shown(settings: Any, row: Option) -> str:
    """Return the value of one setting as text; of a secret only whether it is set."""
    value = getattr(settings, row.name)
    if row.secret:
        return MASK if value else "not set"
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return ",".join(map(str, value))
    return str(value)


def usage(rows: Sequence[Option], program: str, summary: str) -> str:
    """Return the text of ``--help``."""
    lines = [f"usage: {program} [run|check|probe live|ready|started] [flags]", "", summary, ""]
    for row in (row for row in rows if not row.hidden):
        value = "" if row.switch else " VALUE"
        head = f"{row.flag}{value}" if row.flag else f"${row.variables[0]} or ${row.variables[0]}_FILE"
        lines += [f"  {head}", f"      {row.help}; {row.shown}"]
        if row.flag:
            lines[-1] += f" [${row.variables[0]}]"
    return "\n".join([*lines, "  --help", "  --version"]) + "\n"


def markdown(rows: Sequence[Option]) -> str:
    """Return the reference table that the README embeds."""
    lines = ["| Flag | Variable | Meaning |", "|---|---|---|"]
    for row in (row for row in rows if not row.hidden):
        variable = row.variables[0]
        flag = f"`{row.flag}`" if row.flag else f"none (or `{variable}_FILE`)"
        help = row.help.replace("|", "\\|")
        lines.append(f"| {flag} | `{variable}` | {help}; {row.shown} |")
    return "\n".join(lines) + "\n"
