"""A TCP forwarder that makes a link bad: slow, narrow, cut or frozen.

It runs an event loop of its own in a thread; every method may be called from a test's thread and has
taken effect when it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

_CHUNK = 65536  # bytes
_MOST_WAITING = 256  # chunks under way in one direction; then the sender is slowed


class Forwarder:
    """Forwards ``127.0.0.1:port`` to *target*; use it as a context manager.

    Attributes:
        port: where it listens; stays the same for its life.
        accepted: connections taken so far.
        forwarded: bytes moved so far, both directions together.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.accepted = 0
        self.forwarded = 0
        self._delay = 0.0  # seconds, each direction
        self._rate = 0.0  # bytes a second, each direction of each connection; 0: no limit
        self._loop = asyncio.new_event_loop()
        self._there, self._back = asyncio.Event(), asyncio.Event()  # set: bytes move to the target, back
        self._there.set()
        self._back.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="forwarder", daemon=True)
        self._thread.start()
        self._run(self._listen())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def delay(self, milliseconds: float) -> None:
        """Hold every byte back for that long, in each direction; applies to bytes that come from now on."""
        self._call(lambda: setattr(self, "_delay", milliseconds / 1000))

    def throttle(self, bytes_per_second: float) -> None:
        """Move no more than that in each direction of each connection; 0 lifts the limit."""
        self._call(lambda: setattr(self, "_rate", bytes_per_second))

    def freeze(self) -> None:
        """Stop moving bytes; connections stay open and new ones are taken."""
        self._call(self._there.clear)
        self._call(self._back.clear)

    def mute(self) -> None:
        """Hold back all that the target says; it goes on hearing."""
        self._call(self._back.clear)

    def thaw(self) -> None:
        """Move bytes again, those held back first."""
        self._call(self._there.set)
        self._call(self._back.set)

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._run(self._cut(refuse=True))

    def drop(self) -> None:
        """Reset every connection; new ones are taken."""
        self._run(self._cut(refuse=False))

    def mend(self) -> None:
        """Take connections again after `cut`."""
        self._run(self._listen())

    def close(self) -> None:
        """Cut, and end the thread."""
        if self._thread.is_alive():
            self._run(self._cut(refuse=True))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _call(self, action: Callable[[], object]) -> None:
        async def act() -> None:
            action()

        self._run(act())

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, limit=_CHUNK, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self, *, refuse: bool) -> None:
        if refuse and self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            with contextlib.suppress(OSError):  # it has closed by itself
                # Nothing lingers: closing such a socket sends a reset.
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        except asyncio.CancelledError:
            pass  # by _cut: asyncio would log it as an error of the callback
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target, limit=_CHUNK)
        except OSError:
            return
        self._writers.add(far_writer)
        for end in (writer, far_writer):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        there: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_WAITING)
        back: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_WAITING)
        try:
            async with asyncio.TaskGroup() as group:  # a reset of any side resets all of it
                group.create_task(self._take(reader, there))
                group.create_task(self._give(there, far_writer, self._there))
                group.create_task(self._take(far_reader, back))
                group.create_task(self._give(back, writer, self._back))
        except* (OSError, RuntimeError):  # RuntimeError: write_eof on a closed transport
            pass
        finally:
            far_writer.transport.abort()
            self._writers.discard(far_writer)

    async def _take(self, reader: asyncio.StreamReader, held: asyncio.Queue[tuple[float, bytes]]) -> None:
        """Read one direction until its sender ends it; the end travels on as an empty chunk."""
        data = b"?"
        while data:
            data = await reader.read(_CHUNK)
            await held.put((self._loop.time() + self._delay, data))

    async def _give(
        self, held: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, moving: asyncio.Event
    ) -> None:
        while True:
            due, data = await held.get()
            await self._reach(due)
            await moving.wait()
            if not data:
                writer.write_eof()
                return
            await self._write(data, writer)

    async def _write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        piece = max(1, int(self._rate / 50)) if self._rate else len(data)
        for start in range(0, len(data), piece):
            part = data[start : start + piece]
            writer.write(part)
            await writer.drain()
            self.forwarded += len(part)
            if self._rate:
                await self._reach(self._loop.time() + len(part) / self._rate)

    async def _reach(self, moment: float) -> None:
        """Return when the loop's clock shows *moment*: here time itself is what a test asks for."""
        if moment > self._loop.time():
            come = asyncio.Event()
            self._loop.call_at(moment, come.set)
            await come.wait()
