"""Very many connections to a port at once, that send and are sent away."""

from __future__ import annotations

import contextlib
import selectors
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

_QUIET = 0.3  # seconds without a byte taken: then they have done what they can


class Strangers:
    """*number* connections to *port* on loopback, asked for without waiting for one; a context manager.

    Attributes:
        most_accepted: the most connections that the listener has had open at a time.
    """

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self.most_accepted = 0
        self._sockets = [socket.socket() for _ in range(number)]
        for each in self._sockets:
            each.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                each.connect(("127.0.0.1", port))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._sockets:
            each.close()

    def send(self, data: bytes) -> None:
        """Send *data* on each, as much as is taken."""
        with selectors.DefaultSelector() as selector:
            for each in self._sockets:
                selector.register(each, selectors.EVENT_WRITE, memoryview(data))
            while selector.get_map() and (ready := selector.select(_QUIET)):
                for key, _ in ready:
                    rest = _sent(key.fileobj, key.data)  # type: ignore[arg-type]
                    if rest:
                        selector.modify(key.fileobj, selectors.EVENT_WRITE, rest)
                    else:
                        selector.unregister(key.fileobj)
                self.most_accepted = max(self.most_accepted, accepted(self._port))


def _sent(connection: socket.socket, data: memoryview) -> memoryview:
    """Return what is left of *data* to send; nothing when the other side has closed."""
    try:
        return data[connection.send(data) :]
    except BlockingIOError:
        return data
    except OSError:
        return data[:0]


def accepted(port: int) -> int:
    """Return how many connections to *port* on loopback a process has accepted and not closed."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    # Of one that still waits to be accepted, or that nobody has any more, the inode is 0.
    return sum(row[1].endswith(f":{port:04X}") and row[3] in {"01", "08"} and row[9] != "0" for row in rows)
