"""What an operator wants of single commands, laid over what their server says of them. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from podmates_redis.commands import families
from podmates_redis.commands.table import Command, Kind, Table, builtin

ROUTES = ("master", "replica", "deny")


@dataclass(frozen=True, slots=True)
class Overrides:
    """*routes*: a name, or that of a container for all its subcommands → one of `ROUTES`."""

    routes: Mapping[str, str] = field(default_factory=dict)
    ttl_master: bool = False  # times to live are the master's to tell
    module_reads: bool = False  # reads of modules are split like others

    def applied(self, table: Table) -> Table:
        """Return *table* as the operator wants it."""
        return Table([self._applied(command) for command in table])

    def _applied(self, command: Command) -> Command:
        if self.module_reads and command.module and command.name not in families.NODE_LOCAL:
            command = replace(command, why_master="")
        if self.ttl_master and command.name in families.TIMES:
            command = replace(command, why_master="policy")
        route = self.routes.get(command.name) or self.routes.get(command.name.partition("|")[0])
        if route == "deny":
            return replace(command, denied=True)
        if route == "master":
            return replace(command, why_master=command.why_master or "policy")
        if route == "replica" and command.kind in (Kind.READ, Kind.PLAIN):
            return replace(command, kind=Kind.READ, why_master="", anywhere=True)
        return command


def route(text: str) -> tuple[str, str]:
    """Return the (name, route) of ``OBJECT|FREQ=replica``.

    Raises:
        ValueError: there is no such route, or the command is not one that a replica could serve.
    """
    name, sign, where = text.lower().partition("=")
    if not sign or not name or where not in ROUTES:
        raise ValueError(f"want COMMAND=ROUTE or COMMAND|SUBCOMMAND=ROUTE, a route being {', '.join(ROUTES)}")
    known = {command.name: command.kind for command in builtin()}
    if where == "replica" and known.get(name, Kind.READ) not in (Kind.READ, Kind.PLAIN):
        raise ValueError(f"{name} cannot be served by a replica")
    return name, where
