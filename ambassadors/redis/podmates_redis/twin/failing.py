"""How a client or a connection ends in which an error of ours has come up, so that nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from podmates_redis.engine.events import FAULT
from podmates_redis.twin import losing
from podmates_redis.twin.order import doom
from podmates_redis.twin.shapes import Client, Core, Upstream


class Sockets(Protocol):
    """Who has the sockets."""

    core: Core
    note: Callable[[str, BaseException], None]

    def hang_up(self, u: Upstream) -> None: ...
    def flush_clients(self) -> None: ...


def client(sockets: Sockets, c: Client, error: Exception) -> None:
    """Close a client of which nobody knows what it is owed."""
    sockets.note("a client is closed", error)
    doom(sockets.core, c, FAULT)


def upstream(sockets: Sockets, u: Upstream, error: Exception) -> None:
    """Close a connection of which nobody knows what it brings next, and who would wait for ever."""
    sockets.note("a shared connection is closed", error)
    if u.fd != -1:
        sockets.hang_up(u)
        losing.upstream_lost(sockets.core, u)
    for c in losing.forgotten(sockets.core):
        doom(sockets.core, c, FAULT)
    sockets.flush_clients()
