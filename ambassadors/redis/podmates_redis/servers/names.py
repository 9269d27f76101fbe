"""Names that stand for changing addresses: resolved again and again, the servers behind them asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from podmates_common.logs import Condition
from podmates_common.parse import Address
from podmates_redis.servers.dialing import Dialer
from podmates_redis.servers.resolved import Resolved
from podmates_redis.servers.services import service

log = logging.getLogger(__name__)

_EVERY = 5.0  # seconds; the system's resolver tells no time to live
_LEAST = 1.0  # seconds between two questions, whatever goes wrong
_PATIENCE = 5.0  # seconds for an answer
Resolve = Callable[[Address], Awaitable[Mapping[Address, str]]]


class Servers(Protocol):
    """Who wants to know."""

    def watch(self, addresses: Iterable[Address], *, gently: bool = False) -> None: ...
    def master(self) -> Address | None: ...
    def leading(self) -> list[Address]: ...
    async def troubled(self) -> None: ...


async def system(name: Address) -> list[Address]:
    """Return every address of *name*, IPv4 and IPv6, as the system resolves it.

    Raises:
        OSError: there is none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(*name, type=socket.SOCK_STREAM)
    return [Address(str(place[0]), int(place[1])) for *_, place in found]


async def looked_up(name: Address) -> dict[Address, str]:
    """Return the addresses that *name* stands for, each with its host; without a port it is a service's.

    Raises:
        OSError: there is none.
    """
    if name.port:
        return dict.fromkeys(await system(name), name.host)
    hosts = await service(name.host)
    answers = await asyncio.gather(*map(system, hosts), return_exceptions=True)
    found: dict[Address, str] = {}
    for host, answer in zip(hosts, answers, strict=True):
        if isinstance(answer, list):  # one host that nobody knows is no reason to leave the others
            found |= dict.fromkeys(answer, host.host)
    if not found:
        raise OSError("none of its servers has an address")
    return found


class Names:
    """The names of the settings."""

    def __init__(
        self, names: Sequence[Address], stale: float, dialer: Dialer, resolve: Resolve = looked_up
    ) -> None:
        self._names, self._dialer, self._resolve = names, dialer, resolve
        self._resolved = Resolved(stale)
        self._conditions = {
            name: Condition(log, f"name {name if name.port else name.host}") for name in names
        }

    async def follow(self, topology: Servers) -> None:
        """Keep *topology* watching the servers that the names stand for, for ever."""
        while True:
            await asyncio.gather(*map(self._ask, self._names))
            now = time.monotonic()
            for place, host in self._resolved.places(now).items():
                self._dialer.names[str(Address(*place))] = host  # TLS verifies the name, not the address
            kept = self._resolved.kept(topology.master(), topology.leading(), now)
            topology.watch((Address(*place) for place in kept), gently=True)
            await asyncio.sleep(_LEAST)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY - _LEAST):
                    await topology.troubled()

    async def _ask(self, name: Address) -> None:
        found: Mapping[Address, str]
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._resolve(name)
        except (OSError, TimeoutError, UnicodeError) as error:
            found = {}
            self._conditions[name].fail(f"cannot be resolved: {error or 'no answer'}")
        else:
            self._conditions[name].ok()
        self._resolved.take(name, found.items(), time.monotonic())
