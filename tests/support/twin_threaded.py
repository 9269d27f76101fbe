"""The shared path in Python, in a thread with an event loop of its own, like the compiled engine."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

from podmates_redis.twin.engine import Engine


class ThreadedTwin:
    """Accepts clients itself; every other call is one of `Engine`, made where that runs."""

    def __init__(self, *, full_text: bytes = b"", most_clients: int = 10_000, **options: Any) -> None:
        self._full_text, self._most = full_text, most_clients
        self.engine = Engine(**options)
        self._loop = asyncio.new_event_loop()
        self._listeners: list[socket.socket] = []
        self._number = self._accepted = self._rejected = self._elsewhere = self.turns = 0
        self._running = threading.Event()
        turn = self.engine._turn

        def counted() -> None:
            self.turns += 1
            turn()

        self.engine._turn = counted  # type: ignore[method-assign]

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self.engine.start)
        self._loop.call_soon(self._running.set)
        self._loop.run_forever()
        self.engine.stop()
        for listener in self._listeners:
            listener.close()
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _there(self, call: Callable[[], Any]) -> Any:
        if not self._running.is_set():
            return call()

        async def do() -> Any:
            return call()

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(60)

    def listen(self, fd: int) -> None:
        listener = socket.socket(fileno=fd)
        self._listeners.append(listener)
        self._there(lambda: self._loop.add_reader(listener.fileno(), self._accept, listener))

    def close_listeners(self) -> None:
        def close() -> None:
            for listener in self._listeners:
                self._loop.remove_reader(listener.fileno())
                listener.close()
            self._listeners.clear()

        self._there(close)

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setblocking(False)
        if len(self.engine.core.clients) + self._elsewhere >= self._most:
            self._rejected += 1
            connection.send(self._full_text)
            connection.close()
            return
        self._accepted += 1
        self._number += 1
        self.engine.adopt(connection.detach(), b"", 0, self._number)

    def counts(self) -> tuple[int, int, int, int, int]:
        return len(self.engine.core.clients), self._accepted, self._rejected, self.turns, self.engine.memory

    def closed_elsewhere(self) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        found = getattr(type(self.engine), name)
        if not callable(found):
            return getattr(self.engine, name)
        return lambda *words, **named: self._there(lambda: getattr(self.engine, name)(*words, **named))
