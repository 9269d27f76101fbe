"""Sockets that StatsD lines come in by. Datagrams are drained in a loop, not one per turn of the event loop:
that turn costs ten times what the line does. Where the data plane is compiled, a thread receives them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from podmates_common.parse import Address

log = logging.getLogger(__name__)

_BATCH = 256  # datagrams per turn, so that scrapes and other sockets have theirs
_MAX_DATAGRAM = 65535
_BUFFER = 4 << 20  # bytes that the kernel is asked to keep of datagrams, where nobody said a size
_MOST = 2**31 - 1
_BATCH_SIZE = 1 << 20  # bytes per turn
_SO_MEMINFO = 55  # Linux: nine counters of the socket's memory, the last is what was dropped
Feed = Callable[[bytes], None]
Threaded = Callable[[int], Any]  # from a descriptor to `plane._plane.Receiver`, or None


def nobody(_: int) -> None:
    """Receive in the event loop."""


class Datagrams:
    """A datagram socket, UDP or unix.

    *feed* takes what comes. A receiver that *threaded* gives takes what it knows, *feed* the rest.
    """

    def __init__(self, sock: socket.socket, feed: Feed, path: str = "", *, threaded: Threaded) -> None:
        self._count = 0
        self._socket, self._feed, self._path = sock, feed, path
        self._receiver = threaded(sock.fileno())
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        if self._receiver is None:
            loop.add_reader(sock, self._drain)
        else:
            loop.add_reader(self._receiver.signal, self._take)
            self._thread = threading.Thread(target=self._receiver.run, name="datagrams", daemon=True)
            self._thread.start()

    @classmethod
    def udp(cls, where: Address, feed: Feed, buffer: int, *, threaded: Threaded = nobody) -> Datagrams:
        """Listen on *where*; *buffer* bytes of receive buffer, 0 for 4 MB if the system allows it.

        Raises:
            OSError: the address cannot be had.
        """
        family, _, _, _, address = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            _buffer(sock, buffer)
            sock.bind(address)
        except OSError:
            sock.close()
            raise
        return cls(sock, feed, threaded=threaded)

    @classmethod
    def unix(
        cls, path: str, feed: Feed, buffer: int, mode: int | None, *, threaded: Threaded = nobody
    ) -> Datagrams:
        """Listen on the socket file *path*; one that nobody listens on any more is replaced.

        Raises:
            OSError: somebody listens there, or the file cannot be made.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            _buffer(sock, buffer)
            remove_stale(path, socket.SOCK_DGRAM)
            sock.bind(unix_name(path))
            if mode is not None and not path.startswith("@"):
                os.chmod(path, mode)
        except OSError:
            sock.close()
            raise
        return cls(sock, feed, "" if path.startswith("@") else path, threaded=threaded)

    @property
    def address(self) -> Address:
        """Where it listens: port 0 has become a number."""
        return Address(*self._socket.getsockname()[:2])

    @property
    def count(self) -> int:
        """Datagrams that came."""
        return self._count if self._receiver is None else int(self._receiver.count)

    @property
    def dropped(self) -> int:
        """Datagrams that were thrown away: by the kernel because we were too slow, or for want of memory."""
        lost = 0 if self._receiver is None else int(self._receiver.lost)
        with suppress(OSError, struct.error):
            counters = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
            lost += int(struct.unpack("9I", counters)[8])
        return lost

    def _take(self) -> None:
        """Feed a piece of what the thread left to us; its descriptor stays readable while there is more."""
        lines = self._receiver.take()
        if lines is not None:
            self._feed(lines)

    def _drain(self) -> None:
        receive, size = self._socket.recv, 0
        got: list[bytes] = []
        try:
            while len(got) < _BATCH and size < _BATCH_SIZE:
                got.append(receive(_MAX_DATAGRAM))
                size += len(got[-1])
        except BlockingIOError:
            pass
        except OSError as error:  # such as an ICMP answer to nothing of ours: the socket goes on
            log.warning("statsd datagram socket: %s", error.strerror)
        if got:
            self._count += len(got)
            self._feed(b"\n".join(got))  # lines never continue across datagrams

    def close(self) -> None:
        """Take what has arrived, then close; the socket file goes too."""
        loop = asyncio.get_running_loop()
        if self._receiver is None:
            self._drain()
            loop.remove_reader(self._socket)
        else:
            self._receiver.stop()
            self._thread.join()
            loop.remove_reader(self._receiver.signal)
            while (lines := self._receiver.take()) is not None:
                self._feed(lines)
        self._socket.close()
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)


def _buffer(sock: socket.socket, size: int) -> None:
    """Ask for a receive buffer of *size* bytes; the kernel gives what net.core.rmem_max allows."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, min(size or _BUFFER, _MOST))


def unix_name(path: str) -> str:
    """Return how the kernel calls *path*: one that begins with @ is no file but an abstract name."""
    return path.replace("@", "\0", 1) if path.startswith("@") else path


def remove_stale(path: str, kind: int) -> None:
    """Unlink a socket file that is left of a killed process: nobody answers on it."""
    with socket.socket(socket.AF_UNIX, kind) as asking, suppress(FileNotFoundError):
        asking.setblocking(False)  # a full backlog is an answer, too
        try:
            asking.connect(unix_name(path))
        except BlockingIOError:
            pass
        except ConnectionRefusedError:
            if not path.startswith("@") and stat.S_ISSOCK(os.stat(path).st_mode):
                os.unlink(path)
