"""A copy of every line to another StatsD server, by UDP; losing packets there never holds up ours."""

from __future__ import annotations

import asyncio
import logging
import socket

from podmates_common.logs import Condition
from podmates_common.parse import Address
from podmates_metrics.statsd.engine import Totals

log = logging.getLogger(__name__)


class Relay:
    """Lines gathered into packets of at most *length* bytes; sent when full, and every second.

    Raises:
        OSError: the target's name cannot be resolved.
    """

    def __init__(self, where: Address, length: int) -> None:
        target = str(where)
        family, kind, _, _, address = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
        self._target, self._length, self._address = target, length, address
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)
        self._buffer = bytearray()
        self._counts = {"packets": 0, "long_lines": 0, "lines_relayed": 0}
        self._dropped = 0
        self._trouble = Condition(log, f"relay to {target}")
        self._well = True  # since the last look, a second ago

    def feed(self, data: bytes) -> None:
        """Take lines separated by newlines; empty ones are left out."""
        for line in data.split(b"\n"):
            if not line:
                continue
            if len(line) >= self._length:
                self._counts["long_lines"] += 1
                continue
            if len(self._buffer) + len(line) + 1 > self._length:
                self.flush()
            self._buffer += line + b"\n"
            self._counts["lines_relayed"] += 1

    def flush(self) -> None:
        """Send what is gathered; a packet that cannot be sent now is dropped and counted."""
        if not self._buffer:
            return
        packet = bytes(self._buffer)
        self._buffer.clear()
        try:
            self._socket.sendto(packet, self._address)
        except OSError as error:
            self._dropped += 1
            self._well = False
            self._trouble.fail(error.strerror or str(error))
        else:
            self._counts["packets"] += 1

    def totals(self) -> Totals:
        """Return the values of the self metrics."""
        key = (self._target,)
        totals: Totals = {f"statsd_exporter_relay_{k}_total": {key: n} for k, n in self._counts.items()}
        return totals | {"podmates_statsd_relay_dropped_total": {key: self._dropped}}

    async def run(self) -> None:
        """Flush every second, until cancelled."""
        while True:
            await asyncio.sleep(1)
            self.flush()
            if self._well:  # not at every packet: of a full buffer every other one may get through
                self._trouble.ok()
            self._well = True

    def close(self) -> None:
        """Send the rest."""
        self.flush()
        self._socket.close()
