"""A running engine before a real master and replica, for tests of the loop."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.support.redis_servers import HOST, Pair
from tests.support.shared_path import engine


class Serving:
    """A running engine before a pair of servers."""

    def __init__(self, pair: Pair, **options: Any) -> None:
        self.pair = pair
        self.engine = engine(**options)
        self.group = self.engine.open_group(0)
        self.connect_master()
        self.connect_replica()
        self.listener = socket.create_server((HOST, 0), backlog=512)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.engine.listen(os.dup(self.listener.fileno()))
        self.listener.close()
        self._thread = threading.Thread(target=self.engine.run)
        self._thread.start()
        self._sockets: list[socket.socket] = []

    def connect_master(self) -> None:
        self.engine.attach(self.group, 0, self._dial(self.pair.master.port))

    def connect_replica(self) -> None:
        self.engine.attach(self.group, 1, self._dial(self.pair.replica.port))
        self.engine.use_place(1, True)
        self.prove()

    @staticmethod
    def _dial(port: int) -> int:
        connection = socket.create_connection((HOST, port))
        connection.setblocking(False)
        return connection.detach()

    def prove(self) -> None:
        token = self.engine.begin()
        self.pair.settle()
        self.engine.cover(1, token)

    def client(self) -> socket.socket:
        found = socket.create_connection((HOST, self.port), timeout=60)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets.append(found)
        return found

    def close(self) -> None:
        self.engine.stop()
        self._thread.join()
        for connection in self._sockets:
            connection.close()


@contextmanager
def serving(pair: Pair, **options: Any) -> Iterator[Serving]:
    with ExitStack() as stack:
        found = Serving(pair, **options)
        stack.callback(found.close)
        yield found


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(min(size - len(data), 1 << 20))):
        data += more
    return data
