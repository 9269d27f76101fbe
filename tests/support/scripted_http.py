"""An HTTP server that says byte for byte what a test wants, and may hang up, stall or drip."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.support.waiting import pause

HANG_UP = b""  # in place of an answer: close the connection
STALL = b"\0stall"  # in place of an answer: say nothing until the server ends


def response(body: bytes, kind: str, status: str = "200 OK", *fields: str) -> bytes:
    """Return a whole answer with its length."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


class ScriptedServer:
    """Gives *answers* one after the other, over as many connections as it takes; use as a context manager.

    Attributes:
        requests: each request as it came, head and body.
        connections: how many were made.
        drip: seconds between two bytes of an answer; 0 sends it at once.
    """

    def __init__(self, answers: Sequence[bytes], *, drip: float = 0.0) -> None:
        self._answers, self.drip = list(answers), drip
        self.requests: list[bytes] = []
        self.connections = 0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with line, contextlib.suppress(OSError):
                line.settimeout(0.05)
                while self._converse(line):
                    pass

    def _converse(self, line: socket.socket) -> bool:
        """Answer one request; return whether the connection goes on."""
        request = self._request(line)
        if not request:
            return False
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers else HANG_UP
        if answer == STALL:
            self._over.wait()
        if answer in {HANG_UP, STALL}:
            return False
        if not self.drip:
            line.sendall(answer)
            return b"Connection: close" not in answer
        for number in range(len(answer)):
            line.sendall(answer[number : number + 1])
            pause(self.drip)
        return True

    def _request(self, line: socket.socket) -> bytes:
        data = b""
        while not self._over.is_set():
            head, end, body = data.partition(b"\r\n\r\n")
            if end and len(body) >= _length(head):
                return data
            try:
                part = line.recv(65536)
            except TimeoutError:
                continue
            if not part:
                return b""
            data += part
        return b""


def _length(head: bytes) -> int:
    for field in head.lower().split(b"\r\n"):
        if field.startswith(b"content-length:"):
            return int(field.partition(b":")[2])
    return 0
