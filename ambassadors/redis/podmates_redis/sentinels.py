"""Asks sentinels which servers there are; the roles are found by asking the servers themselves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from podmates_common.logs import Condition
from podmates_common.parse import Address
from podmates_redis.asking import Asker, Unanswered
from podmates_redis.topology import Topology

log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds


class Sentinels:
    """The sentinels of one master; the one that answered last is asked first."""

    def __init__(self, addresses: Sequence[Address], master: str, ask: Callable[[Address], Asker]) -> None:
        self._askers = [(address, ask(address)) for address in addresses]
        self._master = master
        self._condition = Condition(log, "sentinels")

    async def follow(self, topology: Topology) -> None:
        """Keep *topology* watching the servers that the sentinels know, for ever."""
        try:
            while True:
                found = await self._servers()
                if found:
                    # one that they forget is not forgotten here while it is the master: servers decide roles
                    topology.watch({str(a): a for a in [*found, *topology.current()]}.values())
                await asyncio.sleep(_EVERY)
        finally:
            for _, asker in self._askers:
                asker.close()

    async def _servers(self) -> list[Address]:
        problems = []
        for place, (address, asker) in enumerate(self._askers):
            try:
                master, replicas = await asker.ask(
                    ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._master),
                    ("SENTINEL", "REPLICAS", self._master),
                )
                if not master:
                    problems.append(f"{address}: knows no master {self._master}")
                    continue
                found = [_address(*master), *(_replica(entry) for entry in replicas)]
            except (
                Unanswered,
                ValueError,
                TypeError,
                LookupError,
                AttributeError,
            ) as error:  # or an odd answer
                problems.append(f"{address}: {error}")
                continue
            self._askers.insert(0, self._askers.pop(place))
            self._condition.ok()
            return found
        self._condition.fail("; ".join(problems))
        return []


def _address(host: bytes, port: bytes) -> Address:
    return Address(host.decode(), int(port))


def _replica(entry: Any) -> Address:
    """Return the address in one entry of SENTINEL REPLICAS, a flat list or a map."""
    fields = entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=False))
    return _address(fields[b"ip"], fields[b"port"])
