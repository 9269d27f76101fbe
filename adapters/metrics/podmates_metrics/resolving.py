"""Look-ups of names beside the event loop and beside each other: one that hangs holds nobody up.

aiohttp's share a few threads with all else that is done in threads, and the process waits for them to end.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from podmates_metrics.background import aside

# Look-ups of the process at once; those that nobody waits for any more count until they are over.
_ROOM = threading.BoundedSemaphore(64)


class Resolver(AbstractResolver):
    """The system's look-ups."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of *host*. Raises OSError: it has none, or too many names hang."""
        if not _ROOM.acquire(blocking=False):
            raise OSError(0, "too many look-ups of names hang")
        try:
            found = await aside(lambda: _look_up(host, port, family), f"look-up of {host[:50]}")
        except RuntimeError as error:  # no thread could be had
            _ROOM.release()
            raise OSError(0, str(error)) from None
        except ValueError:  # of the codec for names: a part is empty or too long
            raise OSError(0, "no name that can be looked up") from None
        return [_result(host, entry) for entry in found]

    async def close(self) -> None:
        """Nothing is kept."""


def _look_up(host: str, port: int, family: int) -> Sequence[Any]:
    try:
        return socket.getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    finally:
        _ROOM.release()


def _result(host: str, entry: Any) -> ResolveResult:
    family, _, protocol, _, address = entry
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    name, port = socket.getnameinfo(address, numeric) if len(address) == 4 else address  # with its zone
    return ResolveResult(
        hostname=host, host=name, port=int(port), family=family, proto=protocol, flags=socket.AI_NUMERICHOST
    )
