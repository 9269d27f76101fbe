"""A client that goes on writing while servers change, and what it saw."""

from __future__ import annotations

import threading
import time

from tests.support.resp import Closed, RawClient
from tests.support.waiting import until


class Writer(threading.Thread):
    """Writes and reads back without pause on one connection; keeps what was acknowledged, and the faults.

    With *blocks* each write is a transaction sent in one packet, as libraries do it.
    """

    def __init__(self, port: int, *, blocks: bool = False) -> None:
        super().__init__(daemon=True)
        self._blocks = blocks
        self.client = RawClient(port)
        self.acknowledged: list[tuple[float, int]] = []  # when, number
        self.errors: list[bytes] = []
        self.wrong: list[str] = []
        self.closed = False
        self._end = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._end.is_set():
            number += 1
            try:
                self._round(number)
            except (OSError, Closed):
                self.closed = True
                return

    def _round(self, number: int) -> None:
        reply = self._write(number)
        if reply.startswith(b"-"):
            self.errors.append(reply)
            return
        self.acknowledged.append((time.monotonic(), number))
        read = self.client.call("GET", f"n{number}")
        if not read.startswith(b"-") and read != b"$%d\r\n%d\r\n" % (len(str(number)), number):
            self.wrong.append(f"n{number} was read as {read!r}")

    def _write(self, number: int) -> bytes:
        """Return the reply to the write, or the first error of its transaction."""
        if not self._blocks:
            return self.client.call("SET", f"n{number}", number)
        self.client.pipeline([("MULTI",), ("SET", f"n{number}", number), ("EXEC",)])
        replies = self.client.read_many(3)
        return next((reply for reply in replies if reply.startswith(b"-")), replies[-1])

    def progress(self) -> None:
        """Wait until a write from now on is acknowledged."""
        before = len(self.acknowledged)
        until(lambda: self.closed or len(self.acknowledged) > before + 5, what="writes to go on")

    def end(self) -> None:
        self._end.set()
        self.join(30)
        self.client.close()


def first_after(writer: Writer, moment: float) -> float:
    """Return how many seconds after *moment* a write that started later was acknowledged."""
    return next(when for when, _ in list(writer.acknowledged) if when > moment) - moment
