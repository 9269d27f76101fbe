"""Lines on their way to a listener of the adapter, and whether they arrived as far as that can be known."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import NamedTuple

from podmates_common.parse import Address
from podmates_metrics.sending.lines import packets
from podmates_metrics.statsd.listeners import unix_name

TIMEOUT = 5.0  # seconds for each step
_ROOM = {"udp": 1432, "unixgram": 8192}  # bytes of a datagram; of UDP's what an Ethernet frame holds
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # who listens everywhere listens here


class Target(NamedTuple):
    """A listener. *where* is a path for unixgram and unix."""

    by: str  # udp, tcp, unixgram, unix
    where: Address | str


class Delivery:
    """A way to *target*, open.

    Raises:
        OSError: nobody is there.
    """

    def __init__(self, target: Target) -> None:
        self._room = _ROOM.get(target.by, 0)
        kind = socket.SOCK_DGRAM if self._room else socket.SOCK_STREAM
        where = target.where
        if isinstance(where, str):
            self._socket = socket.socket(socket.AF_UNIX, kind)
            self._connect(unix_name(where))
        else:
            host = _ANY.get(where.host, where.host)
            family, *_, address = socket.getaddrinfo(host, where.port, type=kind)[0]
            self._socket = socket.socket(family, kind)
            self._connect(address)

    def _connect(self, address: object) -> None:
        self._socket.settimeout(TIMEOUT)
        try:
            self._socket.connect(address)  # type: ignore[arg-type]
        except OSError:
            self.close()
            raise

    def send(self, lines: Sequence[bytes]) -> None:
        """Send *lines*.

        Raises:
            OSError: they were not taken.
        """
        if self._room:
            for packet in packets(lines, self._room):
                self._socket.send(packet)
        else:
            self._socket.sendall(b"".join(line + b"\n" for line in lines))

    def finish(self) -> None:
        """Wait until a stream has been read to its end; of datagrams see whether they were refused.

        Raises:
            OSError: it has not been read in time, or nobody is there.
        """
        if self._room:
            refused = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if refused:
                raise OSError(refused, os.strerror(refused))
            return
        self._socket.shutdown(socket.SHUT_WR)
        if self._socket.recv(1):
            raise OSError("something answered, which is no StatsD server")

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
